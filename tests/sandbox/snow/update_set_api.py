# SPDX-License-Identifier: GPL-3.0-or-later
"""The CI/CD Update Set API: retrieve, preview, commit, back out (docs/facts/servicenow_platform.md#cicd-update-set-api)."""

from __future__ import annotations

from ..web import Call, Reply
from . import update_sets
from .callers import Caller
from .cicd import check, failure, start
from .errors import NO_RESOURCE, Refused
from .instance import Instance


def update_set(instance: Instance, caller: Caller, call: Call, parts: list[str]) -> Reply:
    """Answer `POST /api/sn_cicd/update_set/...`; parameters count only in the query string."""
    check(instance, caller, call, "POST")
    if parts == ["retrieve"]:
        return _retrieve(instance, call)
    if len(parts) == 2 and parts[0] == "preview":
        return _preview(instance, call, parts[1])
    if parts == ["commitMultiple"]:
        return _commit(instance, call, call.query.get("remote_update_set_ids", ""))
    if len(parts) == 2 and parts[0] == "commit":
        return _commit(instance, call, parts[1])
    if parts == ["back_out"]:
        return _back_out(instance, call)
    raise Refused(400, NO_RESOURCE)


def _retrieve(instance: Instance, call: Call) -> Reply:
    wanted, query = call.query.get("update_set_id", ""), call.query
    source = instance.database.find("sys_update_set_source", query.get("update_source_id", ""))
    by_id = instance.database.first("sys_update_set_source", "instance_id", query.get("update_source_instance_id", "-"))
    row = source[1] if source else by_id
    if not wanted:
        return failure(instance, 400, "Missing parameter: update_set_id required")
    if row is None:
        return failure(instance, 404, "Update source was not found")
    replaces = query.get("cleanup_retrieved") == "true"
    return start(instance, call, "Retrieve", lambda: update_sets.retrieve(instance, row, wanted, replaces=replaces))


def _preview(instance: Instance, call: Call, sys_id: str) -> Reply:
    found = instance.database.find("sys_remote_update_set", sys_id)
    if found is None:
        return failure(instance, 404, "Remote update set was not found")
    update_sets.set_state(instance, sys_id, "previewing")
    return start(instance, call, "Preview", lambda: update_sets.preview(instance, sys_id))


def _commit(instance: Instance, call: Call, ids: str) -> Reply:
    wanted = [each for each in ids.split(",") if each]
    if not wanted:
        return failure(instance, 400, "Missing parameter: remote_update_set_ids required")
    for sys_id in wanted:
        found = instance.database.find("sys_remote_update_set", sys_id)
        if found is None:
            return failure(instance, 404, "Remote update set was not found")
        if found[1].get("state") != "previewed" or update_sets.open_problems(instance, sys_id):
            return failure(
                instance, 400, "The update set must be previewed, and its problems resolved, before a commit"
            )
    for sys_id in wanted:
        update_sets.set_state(instance, sys_id, "committing")

    def finish() -> None:
        for sys_id in wanted:
            update_sets.commit(instance, sys_id, through_api=True)

    return start(instance, call, "Commit", finish)


def _back_out(instance: Instance, call: Call) -> Reply:
    sys_id = call.query.get("update_set_id", "")
    if instance.database.find("sys_update_set", sys_id) is None:
        return failure(instance, 404, "Update set was not found")
    return start(instance, call, "Back out", lambda: update_sets.back_out(instance, sys_id))
