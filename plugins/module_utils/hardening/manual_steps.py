# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person has to do for a setting that no API call can write."""

from __future__ import annotations

from ..engine.field import wire_text
from ..engine.result import ManualStep
from .catalogue.setting import COMPARATOR_WORDS, PLUGIN, PROPERTY
from .posture import BY_ELEVATION, Assessed

ELEVATE = "ServiceNow: user menu > Elevate role > security_admin, then "


def step_of(entry: Assessed, wanted: str) -> ManualStep:
    """Return the step for one setting; `wanted` is the value to enter."""
    setting = entry.setting
    if setting.kind == PLUGIN:
        return ManualStep(
            id=f"setting:{setting.id}",
            title=f"Have the plugin {setting.name} activated",
            reason="It cannot be activated by the API, or ServiceNow does it on request only",
            where="Now Support > Service Catalog > Activate Plugin",
            values={"Plugin": setting.name},
        )
    if setting.kind == PROPERTY:
        elevated = entry.write_class == BY_ELEVATION
        return ManualStep(
            id=f"setting:{setting.id}",
            title=f"Set the system property {setting.name}",
            reason="Its write roles hold security_admin, an elevated role that no API call can have"
            if elevated
            else "The instance does not let this account write it",
            where=(ELEVATE if elevated else "ServiceNow: ") + f"sys_properties.list > {setting.name}",
            values={"Name": setting.name, "Value": wanted},
        )
    table, slash, sys_id = setting.name.partition("/")
    words = COMPARATOR_WORDS.get(setting.comparator, "")
    return ManualStep(
        id=f"setting:{setting.id}",
        title=f"See to it: {setting.title[:1].lower()}{setting.title[1:]}",
        reason="No API call can be made for it without guessing",
        where=f"ServiceNow: {table}.list" if slash else f"ServiceNow: {setting.name}",
        values={"sys_id": sys_id, "Active": wanted}
        if slash
        else {"Wanted": f"{words} {wire_text(entry.target.wanted)}".strip()},
    )
