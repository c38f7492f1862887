# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between releases, and their build.

See docs/facts/servicenow_platform.md#application-registry, docs/facts/servicenow_platform.md#users,
docs/facts/servicenow_platform.md#releases.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.sandbox.snow.releases import RELEASES
from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]
BUILD = re.compile(r"^glide-(?P<family>[a-z]+)-(?P<date>\d{2}-\d{2}-\d{4})__patch(?P<patch>\d+)(?P<rest>.*)$")


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_shows_its_build_in_properties_and_statistics(make: Make, release: str) -> None:
    instance = make(release=release)
    values = {row["name"]: row["value"] for row in instance.rows("sys_properties", "nameSTARTSWITHglide.build")}
    assert values["glide.buildname"] == release.capitalize()
    found = BUILD.match(values["glide.buildtag.last"])
    assert found is not None
    assert found["family"] == release
    assert instance.row("sys_properties", "name=glide.war")["value"].endswith(".zip")
    for page in ("stats.do", "xmlstats.do"):
        assert values["glide.buildtag.last"] in instance.anonymous().call("GET", page).text


def test_a_hardened_instance_hides_its_build(make: Make) -> None:
    instance = make(hide_build=True)
    assert instance.rows("sys_properties", "nameINglide.buildname,glide.war,glide.buildtag.last") == []
    assert "glide-" not in instance.anonymous().call("GET", "stats.do").text


def test_xanadu_drops_the_machine_identity_columns_silently(make: Make) -> None:
    body = {"name": "A", "scope_restriction_status": "unrestricted", "client_type": "integration_as_a_user"}
    old = make(release="xanadu").insert("oauth_entity", body)
    new = make(release="yokohama").insert("oauth_entity", body)
    assert "scope_restriction_status" not in old
    assert new["scope_restriction_status"] == "unrestricted"


def test_identity_type_came_with_zurich(make: Make) -> None:
    body = {"user_name": "svc", "identity_type": "machine"}
    assert "identity_type" not in make(release="yokohama").insert("sys_user", body)
    assert make(release="zurich").insert("sys_user", body)["identity_type"] == "machine"


def test_a_table_that_a_release_lacks_is_invalid(make: Make) -> None:
    assert make(release="yokohama").table("oauth_entity_cimd").status_code == 400
    assert make(release="zurich").table("oauth_entity_cimd").status_code == 200
