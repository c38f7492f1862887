# SPDX-License-Identifier: GPL-3.0-or-later
"""Update sets: import, retrieve, preview, commit, back out.

See docs/facts/servicenow_platform.md#update-sets, docs/facts/servicenow_platform.md#cicd-update-set-api.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from ..settings import SettingError
from .instance import Instance
from .record_writer import Writer
from .schema import AUDIT_NAMES
from .store import Row
from .values import Encoder

REMOTE, UPDATES, LOCAL = "sys_remote_update_set", "sys_update_xml", "sys_update_set"
PROBLEMS, DEFAULT_SET = "sys_update_preview_problem", "Default"
NEWER = "Found a local update that is newer than this one"


class _AsStored(Encoder):
    """Values of an export are in the stored form."""

    def encode(self, column: Any, value: object) -> str | None:
        """Return the value as it is."""
        return str(value)


def _writer(instance: Instance) -> Writer:
    return Writer(instance, None, _AsStored(instance, display=False), keep_stamps=True)


def set_state(instance: Instance, sys_id: str, state: str) -> None:
    """Change the state of a retrieved update set."""
    row = instance.database.rows(REMOTE).by_id[sys_id]
    instance.database.put(REMOTE, {**row, "state": state})


def import_file(instance: Instance, xml: str) -> dict[str, Any]:
    """Import a file, preview it, and commit what has no problems; raises SettingError for a file that cannot be imported."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise SettingError(f"not an XML file: {error}") from error
    if root.tag != "unload" or not root.get("unload_date"):
        raise SettingError("not an export: no unload with a date")
    found: list[str] = []
    problems: list[str] = []
    for element in root:
        if element.tag not in (REMOTE, UPDATES):
            raise SettingError(f"an update set does not hold {element.tag}")
        row = {child.tag: child.text or "" for child in element}
        known = instance.database.schema.tables[element.tag].columns
        kept = {name: text for name, text in row.items() if name in known and text}
        instance.database.put(element.tag, {**instance.stamps("admin"), **kept})
        found += [row["sys_id"]] if element.tag == REMOTE else []
    for sys_id in found:
        preview(instance, sys_id)
        blocking = open_problems(instance, sys_id)
        problems += [row["description"] for row in blocking]
        if not blocking:
            commit(instance, sys_id, through_api=False)
    return {"sets": found, "problems": problems}


def retrieve(instance: Instance, source: Row, wanted: str, *, replaces: bool) -> str | None:
    """Copy a completed update set of another instance; return why that failed."""
    if source.get("active") != "true":
        return f"The update source {source.get('name')} is not active"
    peer = instance.peer(source.get("url", ""))
    if peer is None:
        return f"Could not connect to {source.get('url')}"
    found = peer.database.find(LOCAL, wanted)
    if found is None or found[1].get("state") != "complete":
        return "The update set was not found on the source, or is not complete"
    present = [row for row in instance.database.scan(REMOTE) if row.get("remote_sys_id") == wanted]
    if present and not replaces:
        return None
    for row in present:
        _forget(instance, row["sys_id"])
    sys_id = instance.new_id()
    values = {"sys_id": sys_id, "name": found[1]["name"], "state": "loaded", "remote_sys_id": wanted}
    instance.database.put(REMOTE, {**values, "update_source": source["sys_id"], **instance.stamps("system")})
    for update in list(peer.database.lookup(UPDATES, "update_set", wanted)):
        copy = {name: value for name, value in update.items() if name != "update_set"}
        instance.database.put(UPDATES, {**copy, "sys_id": instance.new_id(), "remote_update_set": sys_id})
    return None


def _forget(instance: Instance, sys_id: str) -> None:
    for table in (UPDATES, PROBLEMS):
        for row in list(instance.database.lookup(table, "remote_update_set", sys_id)):
            instance.database.remove(table, row["sys_id"])
    instance.database.remove(REMOTE, sys_id)


def preview(instance: Instance, sys_id: str) -> str | None:
    """Compare every update with the instance, and record problems; those of an earlier preview go."""
    for row in list(instance.database.lookup(PROBLEMS, "remote_update_set", sys_id)):
        instance.database.remove(PROBLEMS, row["sys_id"])
    updates = _updates(instance, sys_id)
    for update in updates:
        for description in _problems_of(instance, update, updates):
            _add_problem(instance, sys_id, update, description)
    for description in instance.knobs.cicd.preview_problems:
        _add_problem(instance, sys_id, updates[0], description)
    set_state(instance, sys_id, "previewed")
    return None


def _add_problem(instance: Instance, sys_id: str, update: Row, description: str) -> None:
    values = {"remote_update_set": sys_id, "remote_update": update["sys_id"], "type": "error"}
    row = {"sys_id": instance.new_id(), **values, "description": description, **instance.stamps("system")}
    instance.database.put(PROBLEMS, row)


def open_problems(instance: Instance, sys_id: str) -> list[Row]:
    """The errors of the last preview that are not decided."""
    rows = instance.database.lookup(PROBLEMS, "remote_update_set", sys_id)
    return [row for row in rows if row.get("type") == "error" and not row.get("status")]


def _updates(instance: Instance, sys_id: str) -> list[Row]:
    found = instance.database.lookup(UPDATES, "remote_update_set", sys_id)
    return sorted(found, key=lambda row: (row.get("name", ""), row["sys_id"]))


def _problems_of(instance: Instance, update: Row, updates: list[Row]) -> Iterator[str]:
    local = [row for row in instance.database.lookup(UPDATES, "name", update["name"]) if row.get("update_set")]
    if any(row.get("sys_updated_on", "") > update.get("sys_updated_on", "") for row in local):
        yield NEWER
    table, record = _record(update)
    own = {_record(each)[1].get("sys_id", "") for each in updates}
    for name, column in instance.database.schema.tables[table].columns.items():
        value = record.get(name, "")
        if column.kind != "reference" or name in ("sys_scope", "sys_package") or not value or value in own:
            continue
        if not _resolved(instance, column.reference, value, record.get(f"{name}@name", "")):
            yield f"Could not find a record in {column.reference} for column {name} referenced in this update"


def _record(update: Row) -> tuple[str, Row]:
    """The table and the columns of an update; the name that a reference carries is under `column@name`."""
    (element,) = list(ElementTree.fromstring(update["payload"]))[:1]
    row: Row = {}
    for child in element:
        row[child.tag] = child.text or ""
        if child.get("name"):
            row[f"{child.tag}@name"] = child.get("name", "")
    return element.tag, row


def _resolved(instance: Instance, table: str, value: str, name: str) -> str:
    """The sys_id of a referenced row; a role with another sys_id is found by its name."""
    if instance.database.find(table, value):
        return value
    by_name = table == "sys_user_role" and instance.knobs.cicd.roles_by_name and name
    found = instance.database.first(table, "name", name) if by_name else None
    return found["sys_id"] if found else ""


def commit(instance: Instance, sys_id: str, *, through_api: bool) -> None:
    """Apply the updates and keep a local copy of the set with one update for each that was applied."""
    remote, local = instance.database.rows(REMOTE).by_id[sys_id], instance.new_id()
    skipped = {row.get("remote_update") for row in _decided(instance, sys_id, "skipped")}
    updates = [row for row in _updates(instance, sys_id) if row["sys_id"] not in skipped]
    left_out = instance.knobs.cicd.skipped_updates
    copy = {"sys_id": local, "name": remote["name"], "state": "complete", "remote_sys_id": remote["remote_sys_id"]}
    instance.database.put(LOCAL, {**copy, **instance.stamps("system")})
    instance.undo[local] = []
    for update in updates[: len(updates) - left_out]:
        if not (through_api and _is_kept_from_api(instance, update)):
            instance.undo[local].append(_apply(instance, update))
        values = {**update, "sys_id": instance.new_id(), "update_set": local, **instance.stamps("system")}
        instance.database.put(UPDATES, {name: text for name, text in values.items() if name != "remote_update_set"})
    done = {"state": "committed", "update_set": local, "commit_date": instance.timestamp()}
    instance.database.put(REMOTE, {**remote, **done})


def _decided(instance: Instance, sys_id: str, status: str) -> list[Row]:
    rows = instance.database.lookup(PROBLEMS, "remote_update_set", sys_id)
    return [row for row in rows if row.get("status") == status]


def _is_kept_from_api(instance: Instance, update: Row) -> bool:
    return instance.knobs.cicd.commit_acls == "skipped" and update["name"].startswith("sys_security_acl")


def _apply(instance: Instance, update: Row) -> tuple[str, str, Row | None]:
    """Write the row of an update; return its table, its sys_id, and the row before (None if it was inserted)."""
    table, record = _record(update)
    columns = instance.database.schema.tables[table].columns
    values = {name: text for name, text in record.items() if name in columns and name not in AUDIT_NAMES}
    for name in values:
        if columns[name].kind == "reference" and name not in ("sys_scope", "sys_package"):
            values[name] = (
                _resolved(instance, columns[name].reference, values[name], record.get(f"{name}@name", ""))
                or values[name]
            )
    found = instance.database.find(table, record["sys_id"])
    if found is None:
        _writer(instance).insert(table, values)
        return table, record["sys_id"], None
    if values.get("is_private") != "true":
        _writer(instance).update(table, record["sys_id"], values)
    return table, record["sys_id"], found[1]


def back_out(instance: Instance, local: str) -> None:
    """Restore what a commit replaced; its local copy goes, and deletions of what it inserted join the default update set."""
    for table, sys_id, before in reversed(instance.undo.pop(local, [])):
        if before is not None:
            instance.database.put(table, before)
        elif instance.database.find(table, sys_id) is not None:
            instance.database.remove(table, sys_id)
    default = _default_set(instance)
    for update in list(instance.database.lookup(UPDATES, "update_set", local)):
        instance.database.remove(UPDATES, update["sys_id"])
        deletion = {**update, "sys_id": instance.new_id(), "update_set": default, "action": "DELETE"}
        # Later than every update that was retrieved before.
        instance.database.put(
            UPDATES, {**deletion, **instance.stamps("system"), "sys_updated_on": "9999-12-31 00:00:00"}
        )
    instance.database.remove(LOCAL, local)
    for row in list(instance.database.lookup(REMOTE, "update_set", local)):
        instance.database.put(REMOTE, {**row, "state": instance.knobs.cicd.backed_out_state})


def _default_set(instance: Instance) -> str:
    found = instance.database.first(LOCAL, "name", DEFAULT_SET)
    if found is None:
        found = {"sys_id": instance.new_id(), "name": DEFAULT_SET, "state": "in progress", **instance.stamps("system")}
        instance.database.put(LOCAL, found)
    return found["sys_id"]
