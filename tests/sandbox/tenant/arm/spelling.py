# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and ids in lower case, as some services return what others stored with capitals.

See docs/facts/defender_for_cloud.md#plans.
"""

from __future__ import annotations

import json
from typing import Any

from ...web import Reply

SPELLED = frozenset({"id", "name", "resourceid", "subplan", "tier", "code", "severity"})


def lose_case(reply: Reply) -> Reply:
    """Turn the names and ids in a successful answer to lower case."""
    if reply.status < 400 and reply.body[:1] in (b"{", b"["):
        reply.body = json.dumps(_lower(json.loads(reply.body))).encode()
    return reply


def _lower(node: Any, name: str = "") -> Any:
    if isinstance(node, dict):
        return {key: _lower(value, key) for key, value in node.items()}
    if isinstance(node, list):
        return [_lower(value, name) for value in node]
    return node.lower() if isinstance(node, str) and name.lower() in SPELLED else node
