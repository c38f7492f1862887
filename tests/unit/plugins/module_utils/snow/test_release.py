# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release an instance runs (docs/facts/servicenow_platform.md#releases)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.snow.release import (
    BUILD_PROPERTIES,
    DEFENDER_FOR_CLOUD_APPS,
    FAMILIES,
    Release,
    parse_build,
    release_of,
)

UNKNOWN = Release()


@pytest.mark.parametrize(
    ("text", "family", "patch", "date"),
    [
        ("glide-zurich-07-01-2025__patch2-09-10-2025.zip", "zurich", "patch2", "2025-07-01"),
        ("glide-washingtondc-12-20-2023__patch10-hotfix3b-05-20-2025_05-23-2025_1940.zip", "washingtondc", "patch10",
         "2023-12-20"),
        ("glide-tokyo-07-08-2022__patch1-09-01-2022", "tokyo", "patch1", "2022-07-08"),
        ("glide-utah-12-21-2022__patch3a-03-01-2023", "utah", "patch3a", "2022-12-21"),
        ("glide-vancouver-07-06-2023__patch9", "vancouver", "patch9", "2023-07-06"),
        ("glide-xanadu-07-02-2024__patch0-07-16-2024", "xanadu", "patch0", "2024-07-02"),
        ("glide-yokohama-12-18-2024__", "yokohama", "", "2024-12-18"),
        ("glide-australia-02-11-2026__patch0-02-24-2026", "australia", "patch0", "2026-02-11"),
        ("glide-australia-02-11-2026__patch5m-09-03-2026", "australia", "patch5m", "2026-02-11"),
        ("glide-australia-02-11-2026__patch5w37-09-10-2026_09-11-2026_0715.zip", "australia", "patch5w37", "2026-02-11"),
        ("glide-brazil-08-25-2026__patch0-08-26-2026", "brazil", "patch0", "2026-08-25"),
        ("glide-newyork-06-26-2019__patch7-hotfix2-03-04-2020.zip", "newyork", "patch7", "2019-06-26"),
        ("  Glide-Zurich-07-01-2025__Patch2-09-10-2025", "zurich", "patch2", "2025-07-01"),
    ],
)  # fmt: skip
def test_a_build_string_is_read(text: str, family: str, patch: str, date: str) -> None:
    release = parse_build(text)
    assert (release.family, release.patch, release.date, release.known) == (family, patch, date, True)
    assert release.build
    assert release.build in text


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Zurich", "zurich"),
        ("New York", "newyork"),
        ("San Diego", "sandiego"),
        ("Washington DC", "washingtondc"),
        ("Brazil", "brazil"),
    ],
)
def test_a_family_name_is_read(name: str, family: str) -> None:
    assert parse_build(name) == Release(family)


@pytest.mark.parametrize("text", ["", "-", "Zanzibar", "custom-war.zip", "glide-zurich", "glide--07-01-2025__patch2"])
def test_what_names_no_release_is_unknown(text: str) -> None:
    # "unknown" must be a valid answer (docs/facts/servicenow_platform.md#reading-the-release).
    assert parse_build(text) == UNKNOWN
    assert not parse_build(text).known


def test_a_family_to_come_is_read_and_is_not_known() -> None:
    release = parse_build("glide-canada-02-10-2027__patch1-03-01-2027")
    assert (release.family, release.known, release.date) == ("canada", False, "2027-02-10")


dates = st.dates().map(lambda day: f"{day.month:02}-{day.day:02}-{day.year:04}")


@given(
    st.sampled_from(FAMILIES), dates, st.integers(0, 99), st.sampled_from(["", "a", "b", "m", "w37"]),
    st.sampled_from(["", "-hotfix1", "-hotfix12b"]), st.one_of(st.just(""), dates.map("-{}".format)),
    st.one_of(st.just(""), dates.map("_{}_1940".format)), st.sampled_from(["", ".zip"]),
)  # fmt: skip
def test_every_string_of_the_grammar_is_read(
    family: str, date: str, number: int, letter: str, hotfix: str, built: str, stamp: str, ending: str
) -> None:
    # See docs/facts/servicenow_platform.md#build-strings. A stamp behind a bare patch is the exception that has a test
    # of its own.
    if stamp and not (hotfix or built):
        return
    build = f"glide-{family}-{date}__patch{number}{letter}{hotfix}{built}{stamp}"
    release = parse_build(build + ending)
    month, day, year = date.split("-")
    assert release == Release(family, f"patch{number}{letter}", build, f"{year}-{month}-{day}")


def test_a_stamp_right_behind_the_patch_is_not_part_of_it() -> None:
    assert parse_build("glide-zurich-07-01-2025__patch2_09-10-2025_1940.zip").patch == "patch2"


@given(st.text())
def test_any_text_is_a_release_or_unknown(text: str) -> None:
    parse_build(text)


# -- where it is read -----------------------------------------------------------------------------------------------------


BUILD = "glide-zurich-07-01-2025__patch2-09-10-2025"


@pytest.mark.parametrize("name", BUILD_PROPERTIES[:-1])
def test_one_readable_property_is_enough(name: str) -> None:
    assert release_of({name: BUILD}).patch == "patch2"


def test_the_most_telling_property_wins() -> None:
    assert release_of({"glide.buildname": "Zurich", "glide.war": f"{BUILD}.zip"}).build == BUILD
    assert release_of({"glide.buildname": "Zurich", "glide.war": ""}) == Release("zurich")


def test_an_account_that_sees_no_property_learns_nothing() -> None:
    assert release_of({}) == UNKNOWN
    assert release_of({"glide.other": BUILD}) == UNKNOWN


# -- the order ------------------------------------------------------------------------------------------------------------


def test_families_are_in_the_order_of_their_appearance_not_of_the_alphabet() -> None:
    assert FAMILIES[-4:] == ("yokohama", "zurich", "australia", "brazil")
    assert len(set(FAMILIES)) == len(FAMILIES) == 28


def test_what_microsoft_supports_reaches_from_eureka_to_australia() -> None:
    assert (DEFENDER_FOR_CLOUD_APPS[0], DEFENDER_FOR_CLOUD_APPS[-1]) == ("eureka", "australia")
    assert "brazil" not in DEFENDER_FOR_CLOUD_APPS
    assert "dublin" not in DEFENDER_FOR_CLOUD_APPS
    assert "zurich" in DEFENDER_FOR_CLOUD_APPS
