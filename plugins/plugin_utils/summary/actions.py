# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on users in a summary."""

from __future__ import annotations

from collections.abc import Iterator

from .results import HostResult


def action_lines(host: HostResult, *, check_mode: bool) -> Iterator[str]:
    """Yield the users of each action and outcome, all by name."""
    words = {"changed": "would be done for" if check_mode else "done for", "ok": "was in effect for"}
    groups: dict[str, list[str]] = {}
    for row in host.actions:
        status = str(row.get("status"))
        name = str(row.get("user_principal_name") or row.get("id"))
        groups.setdefault(f"{row.get('action')} {words.get(status, f'not done ({status}) for')}", []).append(name)
    for kind, names in groups.items():
        yield f"{kind} {', '.join(names)}"
