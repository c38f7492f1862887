# SPDX-License-Identifier: GPL-3.0-or-later
"""What Configuration Compliance imported: findings by where the resource is, and the age of the last import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LABELS = {"azure": "Azure", "aws": "AWS", "gcp": "GCP", "on_premises": "on premises"}
OLD = "import_old"


def import_of(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what a result of snow_configuration_compliance shows of the import, None for another result."""
    found = result.get("configuration_compliance")
    if not isinstance(found, Mapping):
        return None
    old = [each.get("message") for each in result.get("problems") or [] if each.get("id") == OLD]
    sources = (found.get("counts") or {}).get("sources")
    return {"sources": sources, "last_import": found.get("last_import"), "old": old[0] if old else ""}


def imported(found: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield one sentence on the findings by source, and one if the last import is too old."""
    if found and found["sources"]:
        counts = ", ".join(f"{LABELS.get(name, name)} {count}" for name, count in found["sources"].items())
        age = (found["last_import"] or {}).get("age_hours")
        yield f"failed results imported: {counts}; last import {'unknown' if age is None else f'{age} hours ago'}"
    if found and found["old"]:
        yield str(found["old"])
