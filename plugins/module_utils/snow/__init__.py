# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceNow: connection options, and the way from a task's parameters to an instance."""

from __future__ import annotations

from typing import Any

from ..ansible_module import Params, TaskContext
from .client import Instance
from .options import SNOW_OPTIONS


def connect(params: Params, context: TaskContext) -> Instance:
    """Return the instance that the connection options of a task describe; nothing is sent yet.

    Raises `BadConnectionOption` for options that are missing or do not fit together.
    """
    return Instance.from_params(params, context)


__all__: list[Any] = ["SNOW_OPTIONS", "Instance", "connect"]
