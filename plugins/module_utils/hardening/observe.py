# SPDX-License-Identifier: GPL-3.0-or-later
"""What to read of an instance to judge settings, and what the answers show of each.

A row that the caller may not see looks like one that is not there
(docs/facts/defender_for_cloud_apps.md#traps-of-the-read-account). It counts as absent only when that is certain: the
caller is admin, or the platform counts rows before access rules (X-Total-Count,
docs/facts/servicenow_platform.md#response-headers), which has shown itself, and counts none. Everything else is hidden,
and so unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..engine.reconcile import Account
from ..engine.snapshot import Query, Row, Snapshot
from ..snow.preflight_checks import OAUTH_PLUGIN
from ..snow.release import BUILD_PROPERTIES, FAMILIES, Release, release_of
from ..snow.resources.plugins import ACTIVE_WORDS, INSTALLED, VIRTUAL
from .catalogue.setting import ANY_OF_ACTIVE, PLUGIN, PROPERTY, Setting
from .evaluate import ABSENT, HIDDEN, NOT_HERE, SEEN, Observation
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

PROPERTIES, SCOPES = "sys_properties", "sys_scope"
COLUMNS = ("sys_id", "name", "value", "type", "write_roles", "sys_scope")
# What an update set has to carry over beside that, since a person imports whole rows.
WHOLE_ROW = (*COLUMNS, "description", "read_roles", "ignore_cache", "private", "suffix", "choices")
PRODUCTION = "instance.production"
FOR_INTEGRATIONS = "glide.authenticate.multifactor.for_integrations"
# The families whose builds are told apart by date where a family is not known
# (docs/facts/servicenow_platform.md#release-families).
BUILT = {"zurich": "2025-07-01", "australia": "2026-02-11"}
CANNOT_TELL = "a row that may not be read cannot be told from one that is not there"


def has_left(release: Release, family: str) -> bool:
    """Return whether `release` is `family` or newer; an unknown family goes by the date of its build."""
    if release.known:
        return FAMILIES.index(release.family) >= FAMILIES.index(family)
    return bool(release.date) and release.date >= BUILT[family]


@dataclass
class Observer:
    """Looks at `settings`. `caller` tells who is asking; `production` is None where nobody said what the instance is."""

    settings: Sequence[Setting]
    caller: Callable[[], Account | None]
    production: bool | None = None
    columns: tuple[str, ...] = COLUMNS
    _probes: list[Query] = field(default_factory=list)

    # -- asking -------------------------------------------------------------------------------------------------------

    def reads(self) -> list[Query]:
        """Return all questions; they fit into one batch."""
        names = [s.name for s in self.settings if s.kind == PROPERTY]
        found = [
            Query(PROPERTIES, "name", _once([*names, FOR_INTEGRATIONS, *BUILD_PROPERTIES]), self.columns, optional=True)
        ]
        plugins = self._plugins()
        if plugins:
            ids = _once([*plugins, OAUTH_PLUGIN])
            found.append(Query(VIRTUAL, "id", ids, ("sys_id", "id", "name", "active"), optional=True))
            found.append(Query(INSTALLED, "source", ids, ("sys_id", "source", "name", "active"), optional=True))
        scopes = _once(scope for s in self.settings for scope in scopes_of(s.application))
        if scopes:
            found.append(Query(SCOPES, "scope", scopes, ("sys_id", "scope", "active"), optional=True))
        if any(s.application == MID_SERVER for s in self.settings):
            found.append(Query(MID_SERVER_TABLE, "", (), ("sys_id",), optional=True, limit=1))
        return found + [read for s in self.settings for read in _place_reads(s, self.columns)]

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Where rows were counted but not shown, ask for each missing one alone: its own count tells."""
        self._probes = [
            Query(PROPERTIES, "", (), self.columns, where=(("name", s.name),), optional=True, limit=1)
            for s in self.settings
            if s.kind == PROPERTY and snapshot.hidden_count(PROPERTIES, "name") and not self._rows(snapshot, s.name)
        ]
        return list(self._probes)

    def _plugins(self) -> list[str]:
        own = [name for s in self.settings if s.kind == PLUGIN for name in (s.name, *s.also)]
        return own + [plugin for id, plugin in DOMAIN_SEPARATION.items() if any(s.id == id for s in self.settings)]

    # -- answers ------------------------------------------------------------------------------------------------------

    def release(self, snapshot: Snapshot) -> Release:
        """Return the release that the instance tells."""
        rows = [row for name in BUILD_PROPERTIES for row in self._rows(snapshot, name)]
        return release_of({row["name"]: row.get("value", "") for row in rows})

    def observations(self, snapshot: Snapshot) -> dict[str, Observation]:
        """Return what was seen of each setting, by its id."""
        release = self.release(snapshot)
        seen = {s.id: self._observe(snapshot, s, release) for s in self.settings}
        siblings = [s for s in self.settings if s.comparator == ANY_OF_ACTIVE]
        for setting in siblings:
            active = next((s for s in siblings if seen[s.id].values == ("true",)), None)
            if active and active is not setting:
                why = f"{active.id} is active, and one of them is enough"
                seen[setting.id] = Observation(SEEN, ("true",), why, seen[setting.id].rows)
        return seen

    def _observe(self, snapshot: Snapshot, setting: Setting, release: Release) -> Observation:
        here = self._property(snapshot, setting.name) if setting.kind == PROPERTY else None
        if setting.gone_from and has_left(release, setting.gone_from):
            why = f"it has no function from {setting.gone_from.capitalize()} on"
            seen = here or Observation(HIDDEN)
            return Observation(NOT_HERE, seen.values, why, seen.rows, absent=seen.absent)
        missing = self._missing_application(snapshot, setting) or self._missing_condition(snapshot, setting)
        if missing:
            return missing
        if here:
            return self._for_stage(here) if setting.id == PRODUCTION else here
        if setting.kind == PLUGIN:
            return self._plugin(snapshot, (setting.name, *setting.also))
        return self._placed(snapshot, setting)

    def _for_stage(self, observation: Observation) -> Observation:
        if self.production is False:
            return Observation(NOT_HERE, observation.values, "this is no production instance", observation.rows)
        if self.production is None and observation.values != ("true",):
            return Observation(
                HIDDEN, observation.values, "whether this is a production instance is not said", observation.rows
            )
        return observation

    # -- properties ---------------------------------------------------------------------------------------------------

    def _rows(self, snapshot: Snapshot, name: str) -> list[Row]:
        return snapshot.rows(PROPERTIES, "name", name)

    def _property(self, snapshot: Snapshot, name: str) -> Observation:
        rows = self._rows(snapshot, name)
        if rows:
            if "value" not in rows[0]:
                return Observation(HIDDEN, (), "the row is there, but its value may not be read", tuple(rows))
            return Observation(SEEN, tuple(row.get("value", "") for row in rows), "", tuple(rows))
        refused = snapshot.refused(PROPERTIES, "name")
        if refused:
            return Observation(HIDDEN, (), refused)
        return self._unseen(snapshot, name)

    def _unseen(self, snapshot: Snapshot, name: str) -> Observation:
        for read, answer in snapshot.answers:
            if read in self._probes and read.where == (("name", name),):
                if answer.total:
                    return Observation(HIDDEN, (), "the instance has a row for it that the account may not read")
                return Observation(ABSENT, absent=True)
        anything = bool(snapshot.all_rows(PROPERTIES, "name"))
        return (
            Observation(ABSENT, absent=True) if anything and self._is_admin() else Observation(HIDDEN, (), CANNOT_TELL)
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
            return Observation(SEEN, ("true",), "" if other == names[0] else f"{other} is active", (active[0],))
        if any("active" in row for row in rows):
            return Observation(SEEN, ("false",), "", tuple(rows[:1]))
        # The virtual table lists what could be activated as well, so what it does not list is not active.
        if snapshot.rows(VIRTUAL, "id", OAUTH_PLUGIN) or (
            snapshot.rows(INSTALLED, "source", OAUTH_PLUGIN) and self._is_admin()
        ):
            return Observation(SEEN, ("false",), "the instance does not list it")
        return Observation(HIDDEN, (), f"the account may not read {VIRTUAL} and {INSTALLED}")

    # -- applications and conditions ----------------------------------------------------------------------------------

    def _missing_application(self, snapshot: Snapshot, setting: Setting) -> Observation | None:
        application = setting.application
        if not application or application == ANY_SCOPE:
            return None
        if any(self._rows(snapshot, s.name) for s in self.settings if s.group == setting.group and s.kind == PROPERTY):
            return None
        words = application.replace("_", " ")
        if application == MID_SERVER:
            return self._gone_unless_rows(snapshot, MID_SERVER_TABLE, "", f"there is no {words}")
        scopes = scopes_of(application)
        rows = [row for scope in scopes for row in snapshot.rows(SCOPES, "scope", scope)]
        if any(row.get("active", "true") == "true" for row in rows):
            return None
        if rows or (self._is_admin() and not snapshot.refused(SCOPES, "scope")):
            return Observation(NOT_HERE, (), f"the application {words} is not installed")
        return Observation(HIDDEN, (), f"whether the application {words} is installed may not be read")

    def _missing_condition(self, snapshot: Snapshot, setting: Setting) -> Observation | None:
        plugin = DOMAIN_SEPARATION.get(setting.id)
        state = self._plugin(snapshot, (plugin,)) if plugin else None
        if state is None or state.values == ("true",):
            return None
        if state.state == HIDDEN:
            return state
        return Observation(NOT_HERE, (), "domains are not separated on the instance")

    def _gone_unless_rows(self, snapshot: Snapshot, table: str, column: str, why: str) -> Observation | None:
        if snapshot.all_rows(table, column):
            return None
        refused = snapshot.refused(table, column)
        if "Invalid table" in refused or (self._is_admin() and not refused):
            return Observation(NOT_HERE, (), why)
        return Observation(HIDDEN, (), refused or CANNOT_TELL)

    # -- other places -------------------------------------------------------------------------------------------------

    def _placed(self, snapshot: Snapshot, setting: Setting) -> Observation:
        place = location_of(setting)
        if place is None or isinstance(place, NoLocation):
            return Observation(HIDDEN, (), "no single record shows it; look at it on the instance")
        if isinstance(place, PatternLocation):
            return self._pattern(snapshot, place)
        (read,) = _place_reads(setting)
        refused = snapshot.refused(read.collection, read.column)
        if refused:
            absent = "Invalid table" in refused
            why = f"the instance has no table {place.table}" if absent else refused
            return Observation(NOT_HERE if absent else HIDDEN, (), why)
        if isinstance(place, RecordLocation):
            return self._row(snapshot, place)
        if isinstance(place, CountLocation):
            return self._count(snapshot, read)
        return self._column(snapshot, read, place)

    def _row(self, snapshot: Snapshot, place: RecordLocation) -> Observation:
        rows = snapshot.rows(place.table, "sys_id", place.sys_id)
        if rows and place.column in rows[0]:
            return Observation(SEEN, (rows[0][place.column],), "", (rows[0],))
        if rows:
            return Observation(HIDDEN, (), f"the account may not read {place.table}.{place.column}")
        if snapshot.hidden_count(place.table, "sys_id") or not self._is_admin():
            return Observation(HIDDEN, (), CANNOT_TELL)
        return (
            Observation(SEEN, (place.absent,), "there is no such row")
            if place.absent
            else Observation(ABSENT, absent=True)
        )

    def _count(self, snapshot: Snapshot, read: Query) -> Observation:
        answer = next(answer for asked, answer in snapshot.answers if asked == read)
        if any(row.get(name) != value for row in answer.rows for name, value in read.where):
            return Observation(HIDDEN, (), f"the account may not read {read.collection}")
        if answer.total is None or (not answer.total and not self._is_admin()):
            return Observation(HIDDEN, (), f"how many rows {read.collection} has is not told")
        return Observation(SEEN, (str(answer.total),))

    def _column(self, snapshot: Snapshot, read: Query, place: ColumnLocation) -> Observation:
        asked = dict(place.where)
        rows = [
            row
            for row in snapshot.all_rows(read.collection, read.column)
            if all(row.get(n) == v for n, v in asked.items())
        ]
        if any(place.column not in row for row in rows):
            return Observation(HIDDEN, (), f"{place.table} shows no column {place.column}; look at it on the instance")
        if rows:
            return Observation(SEEN, tuple(row[place.column] for row in rows), "", tuple(rows))
        return Observation(ABSENT, absent=True) if self._is_admin() else Observation(HIDDEN, (), CANNOT_TELL)

    def _pattern(self, snapshot: Snapshot, place: PatternLocation) -> Observation:
        fits = str.startswith if place.operator == "STARTSWITH" else str.endswith
        rows = [
            row
            for row in snapshot.all_rows(PROPERTIES, "name")
            if fits(row.get("name", ""), place.text) and "value" in row
        ]
        if rows:
            return Observation(SEEN, tuple(row["value"] for row in rows), "", tuple(rows))
        if self._is_admin() and snapshot.all_rows(PROPERTIES, "name"):
            return Observation(NOT_HERE, (), "no application of the instance has the property")
        return Observation(HIDDEN, (), CANNOT_TELL)


def _place_reads(setting: Setting, columns: tuple[str, ...] = COLUMNS) -> list[Query]:
    place = location_of(setting)
    if isinstance(place, RecordLocation):
        return [Query(place.table, "sys_id", (place.sys_id,), ("sys_id", "name", place.column), optional=True)]
    if isinstance(place, CountLocation):
        counted = ("sys_id", *(name for name, _value in place.where))
        return [Query(place.table, "", (), counted, where=place.where, optional=True, limit=1)]
    if isinstance(place, ColumnLocation):
        shown = ("sys_id", *(name for name, _value in place.where), place.column)
        return [Query(place.table, "sys_id", (), shown, where=place.where, optional=True)]
    if isinstance(place, PatternLocation):
        return [Query(PROPERTIES, "name", (place.text,), columns, optional=True, operator=place.operator)]
    return []


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
