# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant knows as hosts."""

from __future__ import annotations

from typing import Any

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.fleet_sources.tenant import KnownInstances


def connector(name: str, url: str = "", status: str = "connected", **more: Any) -> dict[str, Any]:
    return {"name": name, "instance_url": url, "status": status, "days_left": 89, "secret": "hidden-1", **more}


def integration(name: str, **more: Any) -> dict[str, Any]:
    return {
        "display_name": name,
        "integration_type": "ServiceNow",
        "disabled": False,
        "extra_properties": {"k": "hidden-1"},
        **more,
    }


def test_a_connector_and_an_integration_of_one_instance_are_one_host() -> None:
    known = KnownInstances()
    known.add_connectors(
        [connector("ServiceNow prod", "https://acme-prod.service-now.com"), connector("acme dev", status="error")]
    )
    known.add_integrations([integration("acme-prod"), integration("other"), integration("x", integration_type="Jira")])
    assert not known.problems
    assert {name: host["groups"] for name, host in known.hosts.items()} == {
        "acme-prod": ["service_mda", "connector_connected", "service_mdc", "integration_enabled"],
        "acme_dev": ["service_mda", "connector_error"],
        "other": ["service_mdc", "integration_enabled"],
    }
    variables = known.hosts["acme-prod"]["variables"]
    assert variables["snow_url"] == "https://acme-prod.service-now.com"
    assert variables["servicenow_defender_services"] == ["mda", "mdc"]
    assert (variables["mda_connection_name"], variables["mdc_itsm_display_name"]) == ("ServiceNow prod", "acme-prod")
    assert "hidden-1" not in str(known)


def test_what_cannot_be_a_host_is_named() -> None:
    known = KnownInstances()
    known.add_connectors([connector("a"), connector("A"), connector("")], ["activities: 200"])
    assert list(known.hosts) == ["a"]
    several, refused = known.problems
    assert several == "a has several connectors; A was left out. Remove the one that is not in use"
    assert "listing them was refused" in refused
