# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about an instance and the roles of the account, in one batch of reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..engine.problem import Problem
from .account import account_of, account_queries
from .client import ServiceNowClient
from .options import Options
from .preflight_checks import CHECKED_PROPERTIES, OAUTH_PLUGIN, Findings, problems
from .query import TableQuery, TableRow, TableRows, any_of
from .release import BUILD_PROPERTIES, Release, release_of
from .resources.plugins import ACTIVE_WORDS

# Capabilities that follow from the existence of a column. Safer than comparing releases
# (docs/facts/servicenow_platform.md#reading-the-release).
CAPABILITY_COLUMNS = {
    "scope_restriction": ("oauth_entity", "scope_restriction_status"),
    "machine_identity_console": ("oauth_entity", "inbound_grant_type"),
    "identity_type": ("sys_user", "identity_type"),
}
INSTANCE_INFO_OPTIONS: Options = {
    "properties": {"type": "list", "elements": "str", "default": []},
    "plugins": {"type": "list", "elements": "str", "default": []},
    "tables": {"type": "list", "elements": "str", "default": []},
}


@dataclass
class Questions:
    """The queries of one call, by name."""

    queries: list[TableQuery] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, query: TableQuery) -> None:
        """Add `query` under `name`."""
        self.names.append(name)
        self.queries.append(query)

    def ask(self, client: ServiceNowClient) -> dict[str, TableRows]:
        """Send all queries together; return the answers by name."""
        return dict(zip(self.names, client.query(self.queries), strict=True))


def instance_facts(
    client: ServiceNowClient, *, properties: list[str], plugins: list[str], tables: list[str]
) -> dict[str, Any]:
    """Return `instance` and `problems` as `snow_instance_info` returns them."""
    questions = _questions(client, properties, plugins, tables)
    answers = questions.ask(client)
    if all(answer.refused for answer in answers.values()):
        # The whole API, not single tables, is closed to this account or token: fail with the platform's words.
        client.query([replace(questions.queries[0], optional=False)])
    account = account_of(answers["users"].rows, answers["roles"].rows)
    values = {row["name"]: row.get("value", "") for row in answers["properties"].rows if "name" in row}
    plugin_states = {name: _plugin_state(name, answers) for name in dict.fromkeys((OAUTH_PLUGIN, *plugins))}
    table_states = {name: _table_state(answers[f"table {name}"]) for name in tables}
    release = release_of(values)
    findings = Findings(release, account, values, plugin_states, table_states, tuple(plugins))
    found = problems(findings)
    return {
        "msg": _summary(client.name, release, found),
        "instance": {
            "name": client.name,
            "url": client.session.base_url,
            "release": release.as_dict(),
            "caller": {
                "user_name": account.user_name if account else "",
                "roles": sorted(account.roles or ()) if account else [],
                "known": account is not None,
            },
            "grant_type": client.grant,
            "capabilities": {
                name: _capability(answers[f"column {name}"], column)
                for name, (_t, column) in CAPABILITY_COLUMNS.items()
            },
            "properties": {name: values.get(name) for name in properties},
            "plugins": {name: plugin_states[name] for name in plugins},
            "tables": table_states,
        },
        "problems": [problem.as_dict() for problem in found],
    }


def prefetch_facts(client: ServiceNowClient, *, properties: list[str], plugins: list[str], tables: list[str]) -> None:
    """Send the queries of `instance_facts` along with the next read."""
    client.prefetch(_questions(client, properties, plugins, tables).queries)


def _summary(instance: str, release: Release, found: list[Problem]) -> str:
    """Return one sentence about the instance; a failed preflight shows it."""
    what = f"{release.family.capitalize()} {release.patch}".strip() if release.family else "unknown release"
    return f"{instance} ({what}): {'; '.join(map(str, found)) or 'ready for a connection'}"


def _questions(client: ServiceNowClient, properties: list[str], plugins: list[str], tables: list[str]) -> Questions:
    questions = Questions()
    users, roles = account_queries(client.grant, client.params)
    questions.add("users", users)
    questions.add("roles", roles)
    names = tuple(dict.fromkeys((*BUILD_PROPERTIES, *CHECKED_PROPERTIES, *properties)))
    questions.add("properties", TableQuery("sys_properties", any_of("name", names), ("name", "value"), optional=True))
    ids = tuple(dict.fromkeys((OAUTH_PLUGIN, *plugins)))
    questions.add("v_plugin", TableQuery("v_plugin", any_of("id", ids), ("sys_id", "id", "active"), optional=True))
    questions.add(
        "sys_plugins", TableQuery("sys_plugins", any_of("source", ids), ("sys_id", "source", "active"), optional=True)
    )
    for name, (table, column) in CAPABILITY_COLUMNS.items():
        questions.add(f"column {name}", TableQuery(table, "", ("sys_id", column), limit=1, optional=True))
    for table in tables:
        questions.add(f"table {table}", TableQuery(table, "", ("sys_id",), limit=1, optional=True))
    return questions


def _plugin_state(plugin: str, answers: Mapping[str, TableRows]) -> str:
    """Return active, inactive, or unknown: most accounts see neither of the plugin tables.

    See docs/facts/servicenow_platform.md#package-tables.
    """
    rows: list[TableRow] = [row for row in answers["v_plugin"].rows if row.get("id") == plugin]
    rows += [row for row in answers["sys_plugins"].rows if row.get("source") == plugin]
    if any(row.get("active", "").lower() in ACTIVE_WORDS for row in rows):
        return "active"
    if rows:
        return "inactive"
    return "inactive" if answers["v_plugin"].rows else "unknown"


def _table_state(answer: TableRows) -> str:
    if not answer.refused:
        return "readable" if answer.rows else "empty"
    return "absent" if "Invalid table" in answer.refused else "refused"


def _capability(answer: TableRows, column: str) -> bool | None:
    """Return whether the column exists; None when no row could be read."""
    return column in answer.rows[0] if answer.rows else None
