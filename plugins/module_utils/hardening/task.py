# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring an instance to a hardening baseline: the options of a task, and its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..engine.errors import InvalidInput
from ..engine.reconcile import reconcile
from ..engine.result import Result
from ..option_names import named_option
from ..snow.options import Options
from ..snow.update_set_file import UpdateRow, UpdateSetContent, derived_id, update_set_file
from ..snow.update_sets.take_over import SOURCE_OPTIONS, TakeOver
from ..transport.polling import Wait
from .assessment import Assessment
from .baseline import Selection, select
from .connection_impact import Connections
from .exceptions import EXCEPTION_OPTIONS, Exceptions
from .lockout_guard import LockoutGuard
from .observe import Observer
from .posture import posture_of, summary
from .queries import PROPERTIES, WHOLE_ROW
from .resource import PROPERTY_TYPES, Hardening
from .write_policy import Allowances

if TYPE_CHECKING:
    from ..snow.store import InstanceStore

TITLE = "Hardening settings that need elevation"
# Columns that belong to the instance and not to the setting.
NOT_CARRIED = frozenset({"sys_id", "name", "sys_scope", "sys_updated_on"})
CONNECTION_OPTIONS: Options = {
    "application": {"type": "str", "required": True},
    "user_name": {"type": "str", "required": True},
    "grant_type": {"type": "str", "choices": ["password", "client_credentials", "basic"], "default": "password"},
    "client_secret": {"type": "str", "no_log": True},
    "password": {"type": "str", "no_log": True},
}

HARDENING_OPTIONS: Options = {
    "baseline": {"type": "str", "choices": ["secure_score", "recommended", "all"]},
    "ids": {"type": "list", "elements": "str", "default": []},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "overrides": {"type": "dict", "default": {}},
    "max_writes": {"type": "int", "default": 10},
    "allow_irreversible": {"type": "bool", "default": False},
    "allow_plugins": {"type": "bool", "default": False},
    "accept_side_effects": {"type": "list", "elements": "str", "default": []},
    "exceptions": {"type": "list", "elements": "dict", "options": EXCEPTION_OPTIONS, "default": []},
    "services": {
        "type": "list",
        "elements": "dict",
        "options": CONNECTION_OPTIONS,
        "default": [
            {"application": "Microsoft Defender for Cloud Apps", "user_name": "svc_defender_cloud_apps"},
            {"application": "Microsoft Defender for Cloud", "user_name": "svc_defender_cloud"},
            {
                "application": "Microsoft Security Exposure Management",
                "user_name": "svc_defender_exposure_management",
                "grant_type": "client_credentials",
            },
        ],
    },
    "create_for_score": {"type": "bool", "default": False},
    "production": {"type": "bool"},
    **SOURCE_OPTIONS,
}


def selection_of(params: Mapping[str, Any]) -> Selection:
    """Return the settings that a task selects; raise `InvalidInput` with everything that is invalid."""
    for entry in params["services"]:
        if not entry["application"].strip():
            raise InvalidInput("services: an application without a name")
    Exceptions.of(params["exceptions"])
    return select(
        params["baseline"], params["ids"], params["exclude"], params["overrides"], params["accept_side_effects"]
    )


def hardening_of(store: InstanceStore, params: Mapping[str, Any], selection: Selection) -> Hardening:
    """Return the settings as one resource of the instance; the account is queried with the first read."""
    store.prefetch_account()
    client = store.client
    user = str(client.params.get("snow_username") or "") if client.grant in ("basic", "password") else ""
    return Hardening(
        selection,
        Observer(selection.settings, store.account, params["production"], WHOLE_ROW),
        Allowances(
            params["allow_irreversible"],
            params["allow_plugins"],
            frozenset(params["accept_side_effects"]),
            Exceptions.of(params["exceptions"]),
        ),
        Connections(params["services"], client.grant, user),
        params["max_writes"],
        params["create_for_score"],
        Wait(
            params["wait"],
            params["wait_timeout"],
            params["poll_interval"],
            named_option("wait_timeout", "snow_hardening"),
        ),
    )


def harden(store: InstanceStore, params: Mapping[str, Any], selection: Selection) -> Result:
    """Bring the instance to the baseline, or report in check mode what would be changed."""
    hardening = hardening_of(store, params, selection)
    hardening.take_over = TakeOver.of(params, params, store.client.context, TITLE)
    guard = LockoutGuard(store.client, params["services"], lambda: hardening.writes_left)
    result = reconcile(store, hardening, guard=guard)
    posture = posture_of(selection.baseline, hardening.assessed)
    result.output.update(
        msg=_summary(store, result, summary(posture)),
        posture=posture,
        writes_left=hardening.writes_left,
        update_set=_update_set(store.client.session.base_url, hardening),
    )
    return result


def _update_set(instance: str, hardening: Hardening) -> str:
    rows = [_row(instance, entry, wanted) for entry, wanted in hardening.properties_to_import()]
    description = f"{len(rows)} hardening settings that only an elevated role can write"
    return update_set_file(instance, [UpdateSetContent(TITLE, description, rows)])


def _summary(store: InstanceStore, result: Result, posture_summary: str) -> str:
    counted = Counter(outcome["status"] for outcome in result.output["results"])
    done = [f"{counted[status]} {label}" for status, label in STATUS_LABELS.items() if counted[status]]
    return f"{store.name}: {posture_summary}" + (f"; {', '.join(done)}" if done else "")


STATUS_LABELS = {
    "changed": "changed",
    "needs_elevation": "need elevation",
    "manual": "manual",
    "request_only": "on request only",
    "withheld": "withheld",
    "refused": "refused",
    "noted": "noted",
    "accepted": "accepted",
    "unknown": "unknown",
}


def _row(instance: str, entry: Assessment, wanted: str) -> UpdateRow:
    setting, row = entry.setting, entry.observation.row
    name = setting.name
    if row is None:
        columns = {"type": PROPERTY_TYPES.get(setting.type, "string"), "description": setting.title}
        return UpdateRow(
            PROPERTIES, derived_id(instance, PROPERTIES, name), name, {**columns, "name": name, "value": wanted}
        )
    kept = {column: value for column, value in row.items() if column not in NOT_CARRIED}
    return UpdateRow(
        PROPERTIES, row["sys_id"], name, {**kept, "name": name, "value": wanted}, row.get("sys_updated_on", "")
    )


__all__ = ["harden", "hardening_of", "selection_of"]
