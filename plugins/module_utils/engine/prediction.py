# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode for objects that the account may not read: nothing is written, so they are unproven, and others can be compared."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import NotPermitted
from .plan import Resource
from .reconcile import reconcile
from .result import UNKNOWN, WHOLE, Result, Unproven
from .store import Store

# Key of the result in check mode: why the task fails without it.
WOULD_FAIL = "would_fail"


def reconcile_or_unproven(store: Store, resource: Resource, *, noun: str = "", objects: Iterable[str] = ()) -> Result:
    """Do what `reconcile` does; in check mode, the objects of a resource that the account may not read are unproven.

    `objects` are the labels of the objects of a bulk resource. Raises `NotPermitted` if something was to be written.
    """
    try:
        return reconcile(store, resource, noun=noun)
    except NotPermitted as refusal:
        if not store.check_mode:
            raise
        reason = str(refusal)
    labels = [*objects] or [resource.label]
    result = Result(msg=f"{store.name}: {', '.join(labels)} could not be compared")
    if noun:
        result.output = {noun: {}, WOULD_FAIL: reason}
        result.unproven = [Unproven(label, WHOLE, reason) for label in labels]
    else:
        result.output = {
            WOULD_FAIL: reason,
            "results": [{"object": label, "status": UNKNOWN, "reason": reason} for label in labels],
        }
    return result
