# SPDX-License-Identifier: GPL-3.0-or-later
"""The connectors of an app as one report."""

from __future__ import annotations

from typing import Any

from .connectors_api import ConnectorsEndpoint, problems_of, token_days_left, token_end


def health_report(routes: ConnectorsEndpoint) -> dict[str, Any]:
    """Return `connectors`, `problems` and, where the list is refused, `evidence`."""
    rows = sorted(routes.read().rows, key=lambda row: (row["name"].casefold(), row["sys_id"]))
    connectors = [
        {
            "id": row["sys_id"],
            "name": row["name"],
            "instance_url": row["url"],
            "status": row["status"],
            "message": row["message"],
            "accounts": int(row["accounts"]),
            "last_connected": row["last_connected"],
            "refresh_token_expires_at": token_end(row["last_connected"]),
            "days_left": token_days_left(row["last_connected"]),
        }
        for row in rows
    ]
    problems = [problem for row in rows for problem in problems_of(row["name"] or row["sys_id"], row)]
    return {"connectors": connectors, "problems": problems, "evidence": routes.evidence}
