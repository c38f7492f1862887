# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceNow release families: reading a build string, and their order (docs/facts/servicenow_platform.md#releases).

The alphabet restarted after Zurich, so family names are never compared as strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BUILD = re.compile(
    r"glide-(?P<family>[a-z]+)-(?P<date>\d{2}-\d{2}-\d{4})(?:__(?P<patch>patch\d+(?:[a-z]\d*)?)(?P<rest>[-\w]*))?"
)

# Properties that name the build, the most reliable first.
BUILD_PROPERTIES = ("glide.war", "glide.buildtag.last", "glide.buildtag", "glide.war.assigned", "glide.buildname")

# Oldest first.
FAMILIES = (
    "aspen", "berlin", "calgary", "dublin", "eureka", "fuji", "geneva", "helsinki", "istanbul", "jakarta", "kingston",
    "london", "madrid", "newyork", "orlando", "paris", "quebec", "rome", "sandiego", "tokyo", "utah", "vancouver",
    "washingtondc", "xanadu", "yokohama", "zurich", "australia", "brazil",
)  # fmt: skip

# What Microsoft supports for the Defender for Cloud Apps connector: Eureka to Australia
# (docs/facts/defender_for_cloud_apps.md#supported-releases, text of 2026-07).
DEFENDER_FOR_CLOUD_APPS = FAMILIES[FAMILIES.index("eureka") : FAMILIES.index("australia") + 1]


@dataclass(frozen=True)
class Release:
    """A release: `family` in lower case ("" when unknown), `patch` such as patch2, `build` the whole string, `date` of the family's build."""

    family: str = ""
    patch: str = ""
    build: str = ""
    date: str = ""

    @property
    def known(self) -> bool:
        """Whether the family is one of `FAMILIES`."""
        return self.family in FAMILIES

    def as_dict(self) -> dict[str, Any]:
        """Return the release for a module's result."""
        return {"family": self.family, "patch": self.patch, "build": self.build, "date": self.date, "known": self.known}


def parse_build(text: str) -> Release:
    """Return the release that a build string or a family name stands for; an empty one when it stands for none."""
    found = BUILD.search(text.lower())
    if found:
        month, day, year = found["date"].split("-")
        build = text[found.start() : found.end()]
        return Release(found["family"], found["patch"] or "", build, f"{year}-{month}-{day}")
    family = re.sub(r"[^a-z]", "", text.lower())
    return Release(family) if family in FAMILIES else Release()


def release_of(properties: Mapping[str, str]) -> Release:
    """Return the release from an instance's properties; an empty one when they may not be read."""
    return next(
        (r for r in (parse_build(properties.get(name, "")) for name in BUILD_PROPERTIES) if r.family), Release()
    )
