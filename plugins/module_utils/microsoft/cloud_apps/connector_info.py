# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the connectors of an app with their problems."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...token_end import remaining
from .connector_health import problems_of
from .connectors_api import ConnectorsEndpoint
from .refresh_token import token_end


def read_connectors(endpoint: ConnectorsEndpoint) -> dict[str, Any]:
    """Return `msg`, `connectors`, `problems` and, if the list is refused or not clear, `evidence`."""
    rows = sorted(endpoint.read().rows, key=lambda row: (row["name"].casefold(), row["id"]))
    connectors = [
        {
            "id": row["id"],
            "name": row["name"],
            "instance_url": row["url"],
            "status": row["status"],
            "message": row["message"],
            "accounts": row["accounts"],
            "secure_score": row.get("secure_score", ""),
            "last_connected": row["last_connected"],
            "refresh_token_expires_at": token_end(row["last_connected"]),
            **remaining(token_end(row["last_connected"])),
        }
        for row in rows
    ]
    problems = [problem.as_dict() for row in rows for problem in problems_of(row["name"] or row["id"], row)]
    msg = f"{endpoint.client.name}: {_summary([row['status'] for row in rows], len(problems))}"
    if endpoint.evidence:
        msg += " (from evidence, since the list is refused)"
    elif endpoint.unclear:
        msg += f"; {endpoint.unclear}"
    # Either way a connector that is not among them may exist.
    evidence = endpoint.evidence or ([endpoint.unclear] if endpoint.unclear else [])
    return {"msg": msg, "connectors": connectors, "problems": problems, "evidence": evidence}


def _summary(statuses: list[str], problems: int) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in Counter(statuses).items())
    parts = [f"{len(statuses)} connector{'s' * (len(statuses) != 1)}{f' ({counts})' if counts else ''}"]
    if problems:
        parts.append(f"{problems} problem{'s' * (problems != 1)}")
    return ", ".join(parts)
