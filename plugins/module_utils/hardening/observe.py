# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rows of an instance show of each setting.

A row that the account cannot read looks like a missing one
(docs/facts/defender_for_cloud_apps.md#traps-of-the-read-account). It counts as absent only when that is certain: the
account is admin, or the platform counts rows before it applies access rules (X-Total-Count,
docs/facts/servicenow_platform.md#response-headers) and counts none. Everything else is hidden, and so unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..engine.reconcile import Account
from ..engine.snapshot import Query, Row, Snapshot
from ..snow.preflight_checks import OAUTH_PLUGIN
from ..snow.release import BUILD_PROPERTIES, FAMILIES, Release, release_of
from ..snow.resources.plugins import ACTIVE_WORDS, INSTALLED, VIRTUAL
from .catalogue.setting import ANY_OF_ACTIVE, PLUGIN, PROPERTY, Setting
from .evaluate import ABSENT, FOUND, HIDDEN, NOT_PRESENT, Observation
from .locations import (
    ANY_SCOPE,
    DOMAIN_SEPARATION,
    MID_SERVER,
    MID_SERVER_TABLE,
    ColumnLocation,
    CountLocation,
    NoLocation,
    PatternLocation,
    RecordLocation,
    location_of,
    scopes_of,
)
from .queries import COLUMNS, PROPERTIES, SCOPES, location_queries, setting_queries

PRODUCTION = "instance.production"
# Families that are distinguished by the date of the build where the family is unknown
# (docs/facts/servicenow_platform.md#release-families).
BUILT = {"zurich": "2025-07-01", "australia": "2026-02-11"}
MAY_BE_HIDDEN = "the row is missing, or the account cannot read it"


def reached(release: Release, family: str) -> bool:
    """Return whether `release` is `family` or newer; an unknown family is placed by the date of its build."""
    if release.known:
        return FAMILIES.index(release.family) >= FAMILIES.index(family)
    return bool(release.date) and release.date >= BUILT[family]


@dataclass
class Observer:
    """Observes `settings` on an instance, as the account of `caller`; `production` is None where it is not known."""

    settings: Sequence[Setting]
    caller: Callable[[], Account | None]
    production: bool | None = None
    columns: tuple[str, ...] = COLUMNS
    _probes: list[Query] = field(default_factory=list)

    # -- queries ------------------------------------------------------------------------------------------------------

    def reads(self) -> list[Query]:
        """Return all queries; they fit into one batch."""
        return setting_queries(self.settings, self.columns)

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Where rows were counted but not returned, query each missing one separately, since each result has its own count."""
        self._probes = [
            Query(PROPERTIES, "", (), self.columns, where=(("name", s.name),), optional=True, limit=1)
            for s in self.settings
            if s.kind == PROPERTY and snapshot.hidden_count(PROPERTIES, "name") and not self._rows(snapshot, s.name)
        ]
        return list(self._probes)

    # -- results ------------------------------------------------------------------------------------------------------

    def release(self, snapshot: Snapshot) -> Release:
        """Return the release of the instance."""
        rows = [row for name in BUILD_PROPERTIES for row in self._rows(snapshot, name)]
        return release_of({row["name"]: row.get("value", "") for row in rows})

    def observations(self, snapshot: Snapshot) -> dict[str, Observation]:
        """Return what was observed of each setting, by its id."""
        release = self.release(snapshot)
        seen = {s.id: self._observe(snapshot, s, release) for s in self.settings}
        siblings = [s for s in self.settings if s.comparator == ANY_OF_ACTIVE]
        for setting in siblings:
            active = next((s for s in siblings if seen[s.id].values == ("true",)), None)
            if active and active is not setting:
                reason = f"{active.id} is active, and one of them is sufficient"
                seen[setting.id] = Observation(FOUND, ("true",), reason, seen[setting.id].rows)
        return seen

    def _observe(self, snapshot: Snapshot, setting: Setting, release: Release) -> Observation:
        stored = self._property(snapshot, setting.name) if setting.kind == PROPERTY else None
        if setting.gone_from and reached(release, setting.gone_from):
            reason = f"it has no effect from {setting.gone_from.capitalize()} on"
            seen = stored or Observation(HIDDEN)
            return Observation(NOT_PRESENT, seen.values, reason, seen.rows, absent=seen.absent)
        missing = self._missing_application(snapshot, setting) or self._missing_condition(snapshot, setting)
        if missing:
            return missing
        if stored:
            return self._for_production(stored) if setting.id == PRODUCTION else stored
        if setting.kind == PLUGIN:
            return self._plugin(snapshot, (setting.name, *setting.also))
        return self._located(snapshot, setting)

    def _for_production(self, observation: Observation) -> Observation:
        if self.production is False:
            return Observation(NOT_PRESENT, observation.values, "this is not a production instance", observation.rows)
        if self.production is None and observation.values != ("true",):
            return Observation(
                HIDDEN,
                observation.values,
                "production is not set, so it is not known whether this is a production instance",
                observation.rows,
            )
        return observation

    # -- properties ---------------------------------------------------------------------------------------------------

    def _rows(self, snapshot: Snapshot, name: str) -> list[Row]:
        return snapshot.rows(PROPERTIES, "name", name)

    def _property(self, snapshot: Snapshot, name: str) -> Observation:
        rows = self._rows(snapshot, name)
        if rows:
            if "value" not in rows[0]:
                return Observation(HIDDEN, (), "the account cannot read the value of its row", tuple(rows))
            return Observation(FOUND, tuple(row.get("value", "") for row in rows), "", tuple(rows))
        refused = snapshot.refused(PROPERTIES, "name")
        if refused:
            return Observation(HIDDEN, (), refused)
        return self._unseen(snapshot, name)

    def _unseen(self, snapshot: Snapshot, name: str) -> Observation:
        for read, answer in snapshot.answers:
            if read in self._probes and read.where == (("name", name),):
                if answer.total:
                    return Observation(HIDDEN, (), "the account cannot read its row")
                return Observation(ABSENT, absent=True)
        anything = bool(snapshot.all_rows(PROPERTIES, "name"))
        return (
            Observation(ABSENT, absent=True)
            if anything and self._is_admin()
            else Observation(HIDDEN, (), MAY_BE_HIDDEN)
        )

    def _is_admin(self) -> bool:
        account = self.caller()
        return account is not None and account.roles is not None and "admin" in account.roles

    # -- plugins ------------------------------------------------------------------------------------------------------

    def _plugin(self, snapshot: Snapshot, names: Sequence[str]) -> Observation:
        rows = [row for n in names for row in snapshot.rows(VIRTUAL, "id", n) + snapshot.rows(INSTALLED, "source", n)]
        active = [row for row in rows if row.get("active", "").lower() in ACTIVE_WORDS]
        if active:
            other = active[0].get("id") or active[0].get("source", "")
            return Observation(FOUND, ("true",), "" if other == names[0] else f"{other} is active", (active[0],))
        if any("active" in row for row in rows):
            return Observation(FOUND, ("false",), "", tuple(rows[:1]))
        # The virtual table lists what could be activated as well, so what it does not list is not active.
        if snapshot.rows(VIRTUAL, "id", OAUTH_PLUGIN) or (
            snapshot.rows(INSTALLED, "source", OAUTH_PLUGIN) and self._is_admin()
        ):
            return Observation(FOUND, ("false",), "the instance does not list it")
        return Observation(HIDDEN, (), f"the account cannot read {VIRTUAL} and {INSTALLED}")

    # -- applications and conditions ----------------------------------------------------------------------------------

    def _missing_application(self, snapshot: Snapshot, setting: Setting) -> Observation | None:
        application = setting.application
        if not application or application == ANY_SCOPE:
            return None
        if any(self._rows(snapshot, s.name) for s in self.settings if s.group == setting.group and s.kind == PROPERTY):
            return None
        name = application.replace("_", " ")
        if application == MID_SERVER:
            return self._unless_rows(snapshot, MID_SERVER_TABLE, "", f"the instance has no {name}")
        scopes = scopes_of(application)
        rows = [row for scope in scopes for row in snapshot.rows(SCOPES, "scope", scope)]
        if any(row.get("active", "true") == "true" for row in rows):
            return None
        if rows or (self._is_admin() and not snapshot.refused(SCOPES, "scope")):
            return Observation(NOT_PRESENT, (), f"the application {name} is not installed")
        return Observation(HIDDEN, (), f"the account cannot read whether the application {name} is installed")

    def _missing_condition(self, snapshot: Snapshot, setting: Setting) -> Observation | None:
        plugin = DOMAIN_SEPARATION.get(setting.id)
        state = self._plugin(snapshot, (plugin,)) if plugin else None
        if state is None or state.values == ("true",):
            return None
        if state.state == HIDDEN:
            return state
        return Observation(NOT_PRESENT, (), "the instance has no domain separation")

    def _unless_rows(self, snapshot: Snapshot, table: str, column: str, reason: str) -> Observation | None:
        if snapshot.all_rows(table, column):
            return None
        refused = snapshot.refused(table, column)
        if "Invalid table" in refused or (self._is_admin() and not refused):
            return Observation(NOT_PRESENT, (), reason)
        return Observation(HIDDEN, (), refused or MAY_BE_HIDDEN)

    # -- other locations ----------------------------------------------------------------------------------------------

    def _located(self, snapshot: Snapshot, setting: Setting) -> Observation:
        location = location_of(setting)
        if location is None or isinstance(location, NoLocation):
            return Observation(HIDDEN, (), "no single record holds it; check it on the instance")
        if isinstance(location, PatternLocation):
            return self._pattern(snapshot, location)
        (read,) = location_queries(setting)
        refused = snapshot.refused(read.collection, read.column)
        if refused:
            absent = "Invalid table" in refused
            reason = f"the instance has no table {location.table}" if absent else refused
            return Observation(NOT_PRESENT if absent else HIDDEN, (), reason)
        if isinstance(location, RecordLocation):
            return self._row(snapshot, location)
        if isinstance(location, CountLocation):
            return self._count(snapshot, read)
        return self._column(snapshot, read, location)

    def _row(self, snapshot: Snapshot, location: RecordLocation) -> Observation:
        rows = snapshot.rows(location.table, "sys_id", location.sys_id)
        if rows and location.column in rows[0]:
            return Observation(FOUND, (rows[0][location.column],), "", (rows[0],))
        if rows:
            return Observation(HIDDEN, (), f"the account cannot read {location.table}.{location.column}")
        if snapshot.hidden_count(location.table, "sys_id") or not self._is_admin():
            return Observation(HIDDEN, (), MAY_BE_HIDDEN)
        return (
            Observation(FOUND, (location.absent,), "the row is missing")
            if location.absent
            else Observation(ABSENT, absent=True)
        )

    def _count(self, snapshot: Snapshot, read: Query) -> Observation:
        answer = next(answer for asked, answer in snapshot.answers if asked == read)
        if any(row.get(name) != value for row in answer.rows for name, value in read.where):
            return Observation(HIDDEN, (), f"the account cannot read {read.collection}")
        if answer.total is None or (not answer.total and not self._is_admin()):
            return Observation(HIDDEN, (), f"the instance does not return the number of rows of {read.collection}")
        return Observation(FOUND, (str(answer.total),))

    def _column(self, snapshot: Snapshot, read: Query, location: ColumnLocation) -> Observation:
        asked = dict(location.where)
        rows = [
            row
            for row in snapshot.all_rows(read.collection, read.column)
            if all(row.get(n) == v for n, v in asked.items())
        ]
        if any(location.column not in row for row in rows):
            return Observation(
                HIDDEN, (), f"{location.table} does not return the column {location.column}; check it on the instance"
            )
        if rows:
            return Observation(FOUND, tuple(row[location.column] for row in rows), "", tuple(rows))
        return Observation(ABSENT, absent=True) if self._is_admin() else Observation(HIDDEN, (), MAY_BE_HIDDEN)

    def _pattern(self, snapshot: Snapshot, location: PatternLocation) -> Observation:
        fits = str.startswith if location.operator == "STARTSWITH" else str.endswith
        rows = [
            row
            for row in snapshot.all_rows(PROPERTIES, "name")
            if fits(row.get("name", ""), location.text) and "value" in row
        ]
        if rows:
            return Observation(FOUND, tuple(row["value"] for row in rows), "", tuple(rows))
        if self._is_admin() and snapshot.all_rows(PROPERTIES, "name"):
            return Observation(NOT_PRESENT, (), "no application of the instance has the property")
        return Observation(HIDDEN, (), MAY_BE_HIDDEN)
