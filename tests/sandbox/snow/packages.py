# SPDX-License-Identifier: GPL-3.0-or-later
"""Store applications and plugins with tables: installed ones and dependencies.

See docs/facts/configuration_compliance.md#applications-and-plugins,
docs/facts/configuration_compliance.md#detecting-what-is-installed.
"""

from __future__ import annotations

from functools import cache

from .data.compliance import ASC, PACKAGES, PLUGIN_OF, TVM, USEM_ONLY
from .data.tables_compliance import PRIVATE, TABLES
from .knobs import Compliance
from .store import Database

ACTIVE = ("active", "true")


@cache
def _known() -> dict[str, tuple[str, ...]]:
    """Package -> dependencies, in the order of installation."""
    found = {}
    for line in PACKAGES.strip().splitlines():
        name, _, needs = line.partition("|")
        found[name.strip()] = tuple(need.strip() for need in needs.split(",") if need.strip())
    return found


def with_dependencies(name: str, line: str) -> list[str]:
    """The dependencies of a package and the package, in the order of installation; only itself if it is unknown."""
    known = _known()
    wanted = {name}
    for each in reversed(known):
        if each in wanted:
            wanted.update(known[each])
    if name not in known:
        return [name]
    return [each for each in known if each in wanted and not (line == "classic" and each in USEM_ONLY)]


def is_installed(database: Database, name: str) -> bool:
    """Whether a package is installed under any of its names."""
    for plugin in (name, PLUGIN_OF.get(name, "")):
        row = database.first("v_plugin", "id", plugin) if plugin else None
        if row is not None and row.get("active") in ACTIVE:
            return True
    scopes = (name, "sn_vul_asc") if name == ASC else (name,)
    rows = (database.first("sys_store_app", "scope", scope) for scope in scopes)
    return any(row is not None and row.get("active") == "true" for row in rows)


def installed(database: Database) -> list[str]:
    """The known packages that are installed."""
    return [name for name in _known() if is_installed(database, name)]


def table_definitions(database: Database, settings: Compliance) -> tuple[str, ...]:
    """The definitions of all tables of the installed packages."""
    names = installed(database)
    texts = [TABLES[name] for name in names if name in TABLES]
    if settings.storage == "private_table":
        tables = {TVM: settings.tvm_table, ASC: settings.asc_table}
        texts += [PRIVATE.replace("{table}", table) for name, table in tables.items() if name in names]
    return tuple(texts)
