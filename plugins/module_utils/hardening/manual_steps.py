# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual steps for settings that no API call can write."""

from __future__ import annotations

from ..engine.field import BOOLEAN, normal, wire_text
from ..engine.result import ManualStep
from .assessment import ELEVATED_ROLE, Assessment
from .catalogue.setting import COMPARATOR_LABELS, PLUGIN, PROPERTY

ELEVATE = "ServiceNow: user menu > Elevate role > security_admin, then "


def is_private(entry: Assessment) -> bool:
    """Return whether the row of a property is private, so that an import of an update set leaves it out."""
    row = entry.observation.row
    return normal(BOOLEAN, (row or {}).get("is_private", "")) == "true"


def step_for(entry: Assessment, value: str) -> ManualStep:
    """Return the step for one setting; `value` is what to enter."""
    if entry.setting.kind == PLUGIN:
        return _plugin_step(entry)
    if entry.setting.kind == PROPERTY:
        return _property_step(entry, value)
    return _record_step(entry, value)


def _plugin_step(entry: Assessment) -> ManualStep:
    name = entry.setting.name
    return ManualStep(
        id=f"setting:{entry.setting.id}",
        title=f"Have the plugin {name} activated",
        reason="The API cannot activate it, or ServiceNow activates it on request only",
        where="Now Support > Service Catalog > Activate Plugin",
        values={"Plugin": name},
    )


def _property_step(entry: Assessment, value: str) -> ManualStep:
    name = entry.setting.name
    elevated = entry.write_class == ELEVATED_ROLE
    reason = "The instance does not let this account write it"
    if elevated:
        reason = "Its write roles include security_admin, an elevated role that no API call can hold"
    if is_private(entry):
        reason += ". It is private, so the update set does not contain it: an import leaves private properties out"
    return ManualStep(
        id=f"setting:{entry.setting.id}",
        title=f"Set the system property {name}",
        reason=reason,
        where=(ELEVATE if elevated else "ServiceNow: ") + f"sys_properties.list > {name}",
        values={"Name": name, "Value": value},
    )


def _record_step(entry: Assessment, value: str) -> ManualStep:
    setting = entry.setting
    table, slash, sys_id = setting.name.partition("/")
    relation = COMPARATOR_LABELS.get(setting.comparator, "")
    return ManualStep(
        id=f"setting:{setting.id}",
        title=f"Configure: {setting.title[:1].lower()}{setting.title[1:]}",
        reason="Where and how it is stored is not documented, so no API call can write it safely",
        where=f"ServiceNow: {table}.list" if slash else f"ServiceNow: {setting.name}",
        values={"sys_id": sys_id, "Active": value}
        if slash
        else {"Expected": f"{relation} {wire_text(entry.target.wanted)}".strip()},
    )
