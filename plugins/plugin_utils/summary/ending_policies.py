# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a summary about policies of Defender for Cloud Apps that retire."""

from __future__ import annotations

from collections.abc import Iterator

from ...module_utils.microsoft.cloud_apps.policy_catalogue import FILE_POLICIES_END
from .results import HostResult


def ending_policies(host: HostResult) -> Iterator[str]:
    """Yield the policies of Defender for Cloud Apps that retire, those of one day and of the same successors together."""
    if host.ending_is_unread and not host.ending:
        yield (
            f"which policies end on {FILE_POLICIES_END} is unknown (the list of policies was refused); all file policies do, and nothing "
            f"replaces them for files in ServiceNow"
        )
    groups: dict[tuple[str, str], list[str]] = {}
    for row in host.ending:
        successors = " and ".join(map(str, row.get("successors") or []))
        groups.setdefault((str(row.get("date")), successors), []).append(str(row.get("name")))
    for (day, successors), names in groups.items():
        ends, them = ("policy ends", "it") if len(names) == 1 else ("policies end", "them")
        what = f"{successors} replaces {them}" if successors else f"nothing replaces {them} for files in ServiceNow"
        yield f"{len(names)} {ends} on {day}, and {what}: {', '.join(names)}"
