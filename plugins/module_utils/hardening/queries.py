# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows of an instance to query to evaluate settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..engine.snapshot import Query
from ..snow.preflight_checks import OAUTH_PLUGIN
from ..snow.release import BUILD_PROPERTIES
from ..snow.resources.plugins import INSTALLED, VIRTUAL
from .catalogue.setting import PLUGIN, PROPERTY, Setting
from .locations import (
    DOMAIN_SEPARATION,
    MID_SERVER,
    MID_SERVER_TABLE,
    ColumnLocation,
    CountLocation,
    PatternLocation,
    RecordLocation,
    location_of,
    scopes_of,
)

IS_PRIVATE = "is_private"
PROPERTIES, SCOPES = "sys_properties", "sys_scope"
COLUMNS = ("sys_id", "name", "value", "type", "write_roles", "sys_scope")
# Further columns of an update set, which carries whole rows.
WHOLE_ROW = (*COLUMNS, "description", "read_roles", "ignore_cache", IS_PRIVATE, "suffix", "choices", "sys_updated_on")
FOR_INTEGRATIONS = "glide.authenticate.multifactor.for_integrations"


def setting_queries(settings: Sequence[Setting], columns: tuple[str, ...] = COLUMNS) -> list[Query]:
    """Return the queries for `settings`; they fit into one batch. `columns` are those of properties."""
    names = [s.name for s in settings if s.kind == PROPERTY]
    queries = [Query(PROPERTIES, "name", _once([*names, FOR_INTEGRATIONS, *BUILD_PROPERTIES]), columns, optional=True)]
    plugins = _plugins(settings)
    if plugins:
        ids = _once([*plugins, OAUTH_PLUGIN])
        queries.append(Query(VIRTUAL, "id", ids, ("sys_id", "id", "name", "active"), optional=True))
        queries.append(Query(INSTALLED, "source", ids, ("sys_id", "source", "name", "active"), optional=True))
    scopes = _once(scope for s in settings for scope in scopes_of(s.application))
    if scopes:
        queries.append(Query(SCOPES, "scope", scopes, ("sys_id", "scope", "active"), optional=True))
    if any(s.application == MID_SERVER for s in settings):
        queries.append(Query(MID_SERVER_TABLE, "", (), ("sys_id",), optional=True, limit=1))
    return queries + [query for s in settings for query in location_queries(s, columns)]


def _plugins(settings: Sequence[Setting]) -> list[str]:
    own = [name for s in settings if s.kind == PLUGIN for name in (s.name, *s.also)]
    return own + [plugin for id, plugin in DOMAIN_SEPARATION.items() if any(s.id == id for s in settings)]


def location_queries(setting: Setting, columns: tuple[str, ...] = COLUMNS) -> list[Query]:
    """Return the queries for a setting that is neither a property nor a plugin."""
    location = location_of(setting)
    if isinstance(location, RecordLocation):
        return [Query(location.table, "sys_id", (location.sys_id,), ("sys_id", "name", location.column), optional=True)]
    if isinstance(location, CountLocation):
        counted = ("sys_id", *(name for name, _value in location.where))
        return [Query(location.table, "", (), counted, where=location.where, optional=True, limit=1)]
    if isinstance(location, ColumnLocation):
        shown = ("sys_id", *(name for name, _value in location.where), location.column)
        return [Query(location.table, "sys_id", (), shown, where=location.where, optional=True)]
    if isinstance(location, PatternLocation):
        return [Query(PROPERTIES, "name", (location.text,), columns, optional=True, operator=location.operator)]
    return []


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
