# SPDX-License-Identifier: GPL-3.0-or-later
"""The release families that a simulated instance can run (docs/facts/servicenow_platform.md#releases)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One family: name, position in the order of families, build."""

    name: str
    order: int
    label: str
    build_date: str
    patch: str

    @property
    def build_tag(self) -> str:
        """The build string without the file extension."""
        return f"glide-{self.name}-{self.build_date}__{self.patch}"


# The alphabet restarted after Zurich, so only this list defines the order
# (docs/facts/servicenow_platform.md#release-families).
RELEASES = {
    release.name: release
    for release in (
        Release("xanadu", 1, "Xanadu", "07-02-2024", "patch9-hotfix2-05-12-2025"),
        Release("yokohama", 2, "Yokohama", "12-18-2024", "patch7-08-06-2025"),
        Release("zurich", 3, "Zurich", "07-01-2025", "patch2-09-10-2025"),
        Release("australia", 4, "Australia", "02-11-2026", "patch4-07-09-2026"),
        Release("brazil", 5, "Brazil", "08-25-2026", "patch1-10-08-2026"),
    )
}
DEFAULT_RELEASE = "zurich"
