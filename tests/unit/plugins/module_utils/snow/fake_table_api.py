# SPDX-License-Identifier: GPL-3.0-or-later
"""The reading side of the Table API, played on fixed rows."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, failure, rows
from tests.unit.plugins.module_utils.snow.encoded_query import parse
from tests.unit.plugins.module_utils.snow.fake_batch_api import with_batches

ACL = "ACL Exception Insert Failed due to security constraints"


class Tables:
    """Plays the Table API on fixed rows, in pages; `hidden` sys_ids are counted, but not shown.

    `refused` holds what tables are refused with; `other` answers what is no read of a table.
    """

    def __init__(
        self,
        server: Loopback,
        *,
        other: Callable[[Received], Reply] | None = None,
        hidden: tuple[str, ...] = (),
        refused: dict[str, Reply] | None = None,
        **tables: list[dict[str, str]],
    ) -> None:
        self.tables, self.hidden, self.refused, self.other = tables, hidden, refused or {}, other
        server.answers_by(with_batches(self._answer))

    def _answer(self, request: Received) -> Reply:
        if self.other and (request.method != "GET" or not request.path.startswith("/api/now/table/")):
            return self.other(request)
        table = request.path.rsplit("/", 1)[-1]
        if table in self.refused:
            return self.refused[table]
        if table not in self.tables:
            return failure(400, f"Invalid table {table}")
        query = parse(request.query["sysparm_query"])
        found = [row for row in self.tables[table] if query.matches(row)]
        start = int(request.query.get("sysparm_offset", 0))
        page = found[start : start + int(request.query["sysparm_limit"])]
        wanted = request.query.get("sysparm_fields", "").split(",")
        shown = [
            {column: value for column, value in row.items() if wanted == [""] or column in wanted}
            for row in page
            if row["sys_id"] not in self.hidden
        ]
        return rows(*shown, total=len(found))


def refuse(server: Loopback, roles: tuple[str, ...], detail: str = ACL) -> None:
    """Refuse every write; answer who is calling, with `roles`."""
    Tables(
        server,
        other=lambda _request: failure(403, "Operation Failed", detail, X_Transaction_ID="3f2a01b2c3d4"),
        sys_user=[{"sys_id": "u0", "user_name": "svc_ansible"}],
        sys_user_has_role=[
            {"sys_id": f"h{n}", "user": "u0", "user.user_name": "svc_ansible", "role.name": role, "state": "active"}
            for n, role in enumerate(roles)
        ],
    )
