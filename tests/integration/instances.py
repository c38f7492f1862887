# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated instance, as tests see it: its rows, the requests that it received, and how to change it."""

from __future__ import annotations

from typing import Any

import requests

from tests.sandbox.process import InstanceAccess, SandboxProcess

# What signing in leaves behind, which no description covers.
TRACES = frozenset({"last_login", "last_login_time", "failed_attempts"})
TOKENS = "oauth_credential"


class Instance:
    """One instance of the sandbox; its name is the name of its host in inventories."""

    def __init__(self, sandbox: SandboxProcess, access: InstanceAccess, **knobs: Any) -> None:
        self.sandbox = sandbox
        self.knobs = knobs
        self.become(access)

    def become(self, access: InstanceAccess) -> None:
        """Be another instance of the sandbox."""
        self.access = access
        self.name = access.name
        self.connection: dict[str, Any] = access.options()

    def rows(self, table: str, **columns: str) -> list[dict[str, str]]:
        """Return the rows whose columns have these values; an empty column is ""."""
        found = self.sandbox.state(self.name, table)
        return [row for row in found if all(row.get(name, "") == value for name, value in columns.items())]

    def row(self, table: str, **columns: str) -> dict[str, str]:
        """Return the one row whose columns have these values."""
        (row,) = self.rows(table, **columns)
        return row

    def roles_of(self, user_name: str, inherited: str = "") -> list[str]:
        """Return the names of a user's roles, sorted, one for each grant; `inherited` "true" or "false" chooses."""
        names = {row["sys_id"]: row["name"] for row in self.rows("sys_user_role")}
        grants = self.rows("sys_user_has_role", user=self.row("sys_user", user_name=user_name)["sys_id"])
        return sorted(names[row["role"]] for row in grants if inherited in ("", row.get("inherited", "false")))

    def content(self) -> dict[str, list[dict[str, str]]]:
        """Return every row of every table, but for tokens and the traces of signing in."""
        tables: dict[str, list[dict[str, str]]] = self.sandbox._call("GET", f"state/{self.name}")["tables"]
        return {
            table: [{name: value for name, value in row.items() if name not in TRACES} for row in rows]
            for table, rows in tables.items()
            if table != TOKENS
        }

    def add(self, table: str, **values: Any) -> str:
        """Insert a row behind everyone's back and return its sys_id."""
        (sys_id,) = self.sandbox.tamper(self.name, table, values, insert=True)
        return sys_id

    def change(self, table: str, match: dict[str, Any], **values: Any) -> None:
        """Change rows behind everyone's back."""
        self.sandbox.tamper(self.name, table, values, match=match)

    def remove(self, table: str, **match: Any) -> None:
        """Delete rows behind everyone's back."""
        self.sandbox.tamper(self.name, table, match=match, delete=True)

    def turn(self, **knobs: Any) -> None:
        """Turn knobs of the instance."""
        self.sandbox.turn(self.name, **knobs)

    def ask_for_token(self, **form: str) -> dict[str, Any]:
        """Ask the token endpoint as any client would; return what it answered."""
        answer = requests.post(f"{self.access.url}/oauth_token.do", form, timeout=30)
        content: dict[str, Any] = answer.json()
        return content

    def requests(self) -> dict[str, int]:
        """Return how often each route was called since the instance was made."""
        routes: dict[str, int] = self.sandbox.requests(self.name)["routes"]
        return routes

    def forget_requests(self) -> None:
        """Reset the counts of requests."""
        self.sandbox.reset_requests(self.name)
