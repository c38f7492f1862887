# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs what is missing, in the documented order, and stops where something is refused."""

from __future__ import annotations

from ...engine.reconcile import reconcile
from ...engine.result import Result
from ..cicd import NOT_ENTITLED
from ..resources.plugins import Plugins
from ..store import InstanceStore
from .constants import COMPLIANCE, COMPLIANCE_SCOPE, INSTALL_ORDER, NEW, PLUGIN
from .detection import ABSENT, ACTIVE, INACTIVE, NONE, Detected
from .settings import Settings


def missing(found: Detected) -> list[tuple[str, str]]:
    """Return kind and id of what has to be installed, in order. What is unknown is not taken to be missing.

    The new application is not put beside the old one: that is a migration, and begins with a person
    (docs/facts/configuration_compliance.md#migration).
    """
    needed = []
    if found.compliance in (ABSENT, INACTIVE):
        needed += [entry for entry in INSTALL_ORDER if entry[1] != NEW and not _is_there(found, entry[1])]
    if found.generation == NONE and found.compliance in (ACTIVE, ABSENT, INACTIVE):
        needed += [entry for entry in INSTALL_ORDER if entry[1] == NEW]
    return needed


def _is_there(found: Detected, name: str) -> bool:
    names = (COMPLIANCE, COMPLIANCE_SCOPE) if name == COMPLIANCE else (name,)
    return any(found.states.get(each) == ACTIVE for each in names)


def install(instance: InstanceStore, settings: Settings, needed: list[tuple[str, str]]) -> tuple[Result, str]:
    """Install one after the other; return what came of it, and the words of a missing entitlement, if any.

    Raises `EngineError` when an installation breaks or the account may not order it.
    """
    result = Result()
    for kind, name in needed:
        entry = (
            {"id": name, "state": "active"}
            if kind == PLUGIN
            else {"scope": name, "version": settings.versions.get(name)}
        )
        plugins = Plugins([entry] if kind == PLUGIN else [], [] if kind == PLUGIN else [entry], settings.waiting)
        one = reconcile(instance, plugins)
        merge(result, one)
        if one.manual_steps:
            # What follows needs it.
            (outcome,) = one.output["results"]
            return result, outcome["reason"] if outcome["status"] == NOT_ENTITLED else ""
    return result, ""


def merge(result: Result, other: Result) -> None:
    """Add what `other` tells to `result`."""
    result.changed = result.changed or other.changed
    result.drift += other.drift
    result.manual_steps += other.manual_steps
    for mine, more in ((result.before, other.before), (result.after, other.after)):
        for label, values in more.items():
            mine[label] = {**mine.get(label, {}), **values}
