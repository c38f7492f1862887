# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance on which what REST may not write is left to a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from ...engine.errors import Refused
from ...engine.plan import Write
from ...engine.world import Row
from ...shell import Context, Params
from ..client import Instance

MANUAL = "manual"


class CautiousInstance(Instance):
    """An instance, where a refused write whose outcome names a step becomes that step.

    A table of another application scope may take no writes from outside, whatever the account's roles (compliance facts 2.4).
    """

    def __enter__(self) -> CautiousInstance:
        return self

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """POST one row and return it."""
        with _left_to_a_person(write):
            return super().create(write, values)

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """PATCH one row."""
        with _left_to_a_person(write):
            super().update(write, row_id, values)


def connect(params: Params, context: Context) -> CautiousInstance:
    """Return the instance that the connection options of a task describe; nothing is sent yet."""
    return cast(CautiousInstance, CautiousInstance.from_params(params, context))


@contextmanager
def _left_to_a_person(write: Write) -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        step = (write.outcome or {}).get("step")
        if step is None:
            raise
        words = f"{refusal}. {step.reason}" if step.reason else str(refusal)
        raise Refused(str(refusal), status=MANUAL, step=replace(step, reason=words)) from None
