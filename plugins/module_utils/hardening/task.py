# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that brings an instance to a hardening baseline: from its options to its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..engine.errors import InvalidInput
from ..engine.reconcile import reconcile
from ..engine.result import Result
from ..snow.options import Options
from ..transport.polling import Wait
from .baseline import Selection, select
from .connection_impact import Connections
from .lockout_guard import LockoutGuard
from .observe import WHOLE_ROW, Observer
from .posture import Assessed, posture_of, summary
from .resource import TYPES, Hardening
from .update_set import PropertyRow, update_set
from .write_policy import Allowances

if TYPE_CHECKING:
    from ..snow.store import InstanceStore

TITLE = "Hardening settings that need elevation"
# Columns of a row that say where and when it was, not what it is.
NOT_CARRIED = frozenset({"sys_id", "name", "sys_scope"})
CONNECTION_OPTIONS: Options = {
    "application": {"type": "str", "required": True},
    "user_name": {"type": "str", "required": True},
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
    "services": {
        "type": "list",
        "elements": "dict",
        "options": CONNECTION_OPTIONS,
        "default": [
            {"application": "Microsoft Defender for Cloud Apps", "user_name": "svc_defender_cloud_apps"},
            {"application": "Microsoft Defender for Cloud", "user_name": "svc_defender_cloud"},
        ],
    },
    "create_for_score": {"type": "bool", "default": False},
    "production": {"type": "bool"},
}


def selection_of(params: Mapping[str, Any]) -> Selection:
    """Return the settings that a task names; raise `InvalidInput` with everything that cannot be meant."""
    for entry in params["services"]:
        if not entry["application"].strip():
            raise InvalidInput("services: an application without a name")
    return select(
        params["baseline"], params["ids"], params["exclude"], params["overrides"], params["accept_side_effects"]
    )


def hardening_of(store: InstanceStore, params: Mapping[str, Any], selection: Selection) -> Hardening:
    """Return the settings as one resource of the instance; who is calling will be asked with the first read."""
    store.prefetch_account()
    client = store.client
    user = str(client.params.get("snow_username") or "") if client.grant in ("basic", "password") else ""
    return Hardening(
        selection,
        Observer(selection.settings, store.account, params["production"], WHOLE_ROW),
        Allowances(params["allow_irreversible"], params["allow_plugins"], frozenset(params["accept_side_effects"])),
        Connections(params["services"], client.grant, user),
        params["max_writes"],
        params["create_for_score"],
        Wait(params["wait"], params["wait_timeout"], params["poll_interval"]),
    )


def harden(store: InstanceStore, params: Mapping[str, Any], selection: Selection) -> Result:
    """Bring the instance to the baseline, or say in check mode what would be done."""
    hardening = hardening_of(store, params, selection)
    guard = LockoutGuard(store.client, params["services"], lambda: hardening.left)
    result = reconcile(store, hardening, guard=guard)
    posture = posture_of(selection.baseline, hardening.assessed)
    result.output.update(
        msg=_told(store, result, summary(posture)),
        posture=posture,
        writes_left=hardening.left,
        update_set=update_set(
            store.client.session.base_url, TITLE, [_row(entry, wanted) for entry, wanted in hardening.to_import()]
        ),
    )
    return result


def _told(store: InstanceStore, result: Result, stands: str) -> str:
    counted = Counter(outcome["status"] for outcome in result.output["results"])
    done = [f"{counted[status]} {words}" for status, words in STATUS_WORDS.items() if counted[status]]
    return f"{store.name}: {stands}" + (f"; {', '.join(done)}" if done else "")


STATUS_WORDS = {
    "changed": "changed",
    "needs_elevation": "need elevation",
    "manual": "left to a person",
    "request_only": "on request only",
    "withheld": "withheld",
    "refused": "refused",
    "noted": "noted",
    "unknown": "unknown",
}


def _row(entry: Assessed, wanted: str) -> PropertyRow:
    setting, row = entry.setting, entry.observation.row
    if row is None:
        columns = {"type": TYPES.get(setting.type, "string"), "description": setting.title}
        return PropertyRow(setting.name, "", {**columns, "value": wanted})
    kept = {name: value for name, value in row.items() if name not in NOT_CARRIED}
    return PropertyRow(setting.name, row["sys_id"], {**kept, "value": wanted})


__all__ = ["harden", "hardening_of", "selection_of"]
