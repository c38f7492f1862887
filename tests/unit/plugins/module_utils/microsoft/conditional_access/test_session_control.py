# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies as rows, ranges of named locations, and the addresses of applications."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.conditional_access.marker import (
    marked,
    unmarked,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.conditional_access.named_locations import (
    NamedLocations,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.conditional_access.routing import (
    covers,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.conditional_access.session_control_api import (
    row_of,
)

# The answer to a create in the vendor's reference, example 3, shortened.
DOCUMENTED: dict[str, Any] = {
    "id": "6b5e999b-0ba8-4186-a106-e0296c1c4358",
    "displayName": "Demo app for documentation",
    "state": "disabled",
    "conditions": {
        "signInRiskLevels": ["high", "medium"],
        "clientAppTypes": ["mobileAppsAndDesktopClients", "exchangeActiveSync", "other"],
        "platforms": {"includePlatforms": ["all"], "excludePlatforms": ["iOS", "windowsPhone"]},
        "applications": {
            "includeApplications": ["All"],
            "excludeApplications": ["499B84AC-1321-427f-aa17-267ca6975798"],
            "includeUserActions": [],
        },
        "users": {
            "includeUsers": ["a702a13d-a437-4a07-8a7e-8c052de62dfd"],
            "excludeUsers": ["124c5b6a-ffa5-483a-9b88-04c3fce5574a", "GuestsOrExternalUsers"],
            "includeGroups": [],
            "excludeGroups": [],
            "includeRoles": ["9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"],
            "excludeRoles": [],
        },
        "locations": {"includeLocations": ["AllTrusted"], "excludeLocations": ["d2136c9c-b049-47ae-b9cf-316e04ef7198"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]},
    "sessionControls": {
        "applicationEnforcedRestrictions": None,
        "persistentBrowser": None,
        "cloudAppSecurity": {"cloudAppSecurityType": "blockDownloads", "isEnabled": True},
    },
}


def test_the_documented_policy_is_read_whole() -> None:
    assert row_of(DOCUMENTED) == {
        "id": "6b5e999b-0ba8-4186-a106-e0296c1c4358",
        "name": "Demo app for documentation",
        "mode": "disabled",
        "control": "block_downloads",
        "applications": ["All"],
        "excluded_applications": ["499b84ac-1321-427f-aa17-267ca6975798"],
        "include": ["a702a13d-a437-4a07-8a7e-8c052de62dfd", "role 9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"],
        "exclude": ["124c5b6a-ffa5-483a-9b88-04c3fce5574a", "guests"],
        "include_locations": ["AllTrusted"],
        "exclude_locations": ["d2136c9c-b049-47ae-b9cf-316e04ef7198"],
        "grants": ["compliantDevice", "mfa"],
        "narrowed_by": ["clientAppTypes", "platforms", "signInRiskLevels"],
    }


def test_every_kind_of_grant_control_is_named() -> None:
    controls = {
        "operator": "AND",
        "builtInControls": [],
        "customAuthenticationFactors": [],
        "termsOfUse": ["ce580154-086a-40fd-91df-8a60abac81a0"],
        "authenticationStrength": {
            "id": "00000000-0000-0000-0000-000000000004",
            "displayName": "Phishing-resistant MFA",
        },
    }
    row = row_of({**DOCUMENTED, "grantControls": controls})
    assert row["grants"] == ["authenticationStrength Phishing-resistant MFA", "termsOfUse"]
    assert row_of({**DOCUMENTED, "grantControls": None})["grants"] == []


@pytest.mark.parametrize(
    "session",
    [
        None,
        {},
        {"cloudAppSecurity": None},
        {"cloudAppSecurity": {"isEnabled": False, "cloudAppSecurityType": "monitorOnly"}},
    ],
)
def test_a_control_that_is_off_is_none(session: Any) -> None:
    row = row_of({"id": "x", "displayName": "x", "state": "enabled", "conditions": None, "sessionControls": session})
    assert (row["control"], row["applications"], row["narrowed_by"]) == ("none", [], [])


def test_names_without_the_marker_belong_to_others() -> None:
    assert unmarked(marked("Office")) == "Office"
    assert unmarked("Office") == unmarked("Office (servicenow_defender)") == ""


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("https://acme.service-now.com", True),
        ("HTTPS://ACME.service-now.com:443/navpage.do", True),
        ("https://acme.service-now.com.example.com/navpage.do", False),
        ("https://acme-dev.service-now.com/navpage.do", False),
        ("https://*.service-now.com", False),
        ("https://acme.service-now.com:port/", False),
        ("https://[acme", False),
    ],
)
def test_an_application_is_of_the_instance_whose_address_it_has(url: str, covered: bool) -> None:
    assert covers("https://acme.service-now.com/", url) is covered


def test_instances_behind_one_gateway_differ_in_their_paths() -> None:
    assert covers("https://gateway.example.com/acme", "https://gateway.example.com/acme/navpage.do")
    assert not covers("https://gateway.example.com/acme", "https://gateway.example.com/acme-dev/navpage.do")


@pytest.mark.parametrize(
    ("subnets", "words"),
    [
        (["192.0.2.0/33"], "'192.0.2.0/33' is not a subnet"),
        (["192.168.3.0/24"], "192.168.3.0/24 is private"),
        (["fd00::/8"], "fd00::/8 is private"),
        (["8.0.0.0/8"], "8.0.0.0/8 is too large"),
        ([], "subnets is empty"),
        ([f"1.{n // 250}.{n % 250}.0/24" for n in range(2001)], "2001 ranges; Entra accepts up to 2000"),
    ],
)
def test_ranges_that_entra_would_not_take_are_refused(subnets: list[str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        NamedLocations([{"name": "Office", "subnets": subnets}], tolerant=False)


def test_a_location_is_listed_once() -> None:
    entry = {"name": "Office", "subnets": ["198.51.100.0/24"]}
    with pytest.raises(InvalidInput, match="'Office' twice"):
        NamedLocations([entry, entry], tolerant=False)
