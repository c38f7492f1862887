# SPDX-License-Identifier: GPL-3.0-or-later
"""Install missing plugins and applications in the documented order, and stop at the first refusal."""

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
    """Return kind and id of what to install, in order. What is unknown does not count as missing.

    The new application is not installed next to the old one: that is a migration, which begins with manual steps
    (docs/facts/configuration_compliance.md#migration).
    """
    needed = []
    if found.compliance in (ABSENT, INACTIVE):
        needed += [entry for entry in INSTALL_ORDER if entry[1] != NEW and not _is_active(found, entry[1])]
    if found.generation == NONE and found.compliance in (ACTIVE, ABSENT, INACTIVE):
        needed += [entry for entry in INSTALL_ORDER if entry[1] == NEW]
    return needed


def _is_active(found: Detected, name: str) -> bool:
    names = (COMPLIANCE, COMPLIANCE_SCOPE) if name == COMPLIANCE else (name,)
    return any(found.states.get(each) == ACTIVE for each in names)


def install(instance: InstanceStore, settings: Settings, needed: list[tuple[str, str]]) -> tuple[Result, str]:
    """Install one after the other; return the result, and the message of a missing entitlement, if any.

    Raises `EngineError` if an installation fails or the account is not allowed to request it.
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
            # The following ones depend on it.
            (outcome,) = one.output["results"]
            return result, outcome["reason"] if outcome["status"] == NOT_ENTITLED else ""
    return result, ""


def merge(result: Result, other: Result) -> None:
    """Merge `other` into `result`."""
    result.changed = result.changed or other.changed
    result.drift += other.drift
    result.unproven += other.all_unproven()
    result.manual_steps += other.manual_steps
    for mine, more in ((result.before, other.before), (result.after, other.after)):
        for label, values in more.items():
            mine[label] = {**mine.get(label, {}), **values}
