# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of role variables, computed without the templates of the defaults, equal what the templates give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.other_hosts import values_for
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_values import (
    COMPUTED,
    MDA,
    MDC,
    MSEM,
    SNOW,
    RoleValues,
)
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import ROLES, defaults_of

from .test_connections import trusted

APPLICATION = "Microsoft Defender for Cloud Apps"
CREATED = {
    "results": [{"label": "user svc"}, {"name": "Other", "client_id": "1"}, {"name": APPLICATION, "client_id": "2"}]
}
FOUND = {
    "results": [
        {"skipped": True},
        {
            "oauth_applications": [
                {"name": "Other", "client_id": "3", "refresh_token_expires_at": "2026-01-01T00:00:00Z"}
            ]
        },
        {
            "oauth_applications": [
                {"name": APPLICATION, "client_id": "4", "refresh_token_expires_at": "2027-01-01T00:00:00Z"}
            ]
        },
    ]
}
STORED = (
    "mda_password",
    "mda_client_secret",
    "mdc_client_secret",
    "msem_client_secret",
    "mda_accepted",
    "accepted_key",
)
MISSING = ("mdc_password", "mdc_accepted", "msem_password", "msem_accepted")
SITUATIONS: dict[str, dict[str, Any]] = {
    "nothing is known": {},
    "the application was configured": {"snow_connection_result": CREATED},
    "the application was found": {"snow_connection_applications": FOUND},
    "the applications were found by one task": {"snow_connection_applications": FOUND["results"][-1]},
    "both are known": {"snow_connection_result": CREATED, "snow_connection_applications": FOUND},
    "the other service": {"snow_connection_service": "mdc"},
    "a service that takes no password": {"snow_connection_service": "msem"},
    "an account of the user's own": {
        "snow_connection_user_name": "{{ prefix }}_{{ snow_connection_service }}",
        "prefix": "svc",
    },
    "an administrator": {"snow_connection_legacy_admin": True},
    "the legacy mode": {"mda_connection_mode": "password"},
    "the legacy mode and another service": {"mda_connection_mode": "password", "snow_connection_service": "mdc"},
}


def host_variables(folder: Path, **more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"inventory_hostname": "acme-dev"}
    for role in (SNOW, MDC):
        known |= yaml.safe_load((ROLES / role / "vars/main.yml").read_text())
    for role in (SNOW, MDA, MDC, MSEM):
        known |= defaults_of(role)
    return trusted({**known, "servicenow_defender_secrets": str(folder), **more})


def with_secrets(value: Any) -> Any:
    """Return a template that takes secrets from a variable; unit tests have no lookup plugins."""
    return (
        trusted(re.sub(r"lookup\('[\w.]+stored_secret', ([^)]+)\)", r"stored[\1]", value))
        if isinstance(value, str)
        else value
    )


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_computed_default_is_what_its_template_gives(tmp_path: Path, situation: str) -> None:
    secrets = tmp_path / "acme-dev"
    secrets.mkdir()
    stored = {name: f"the {name}" for name in STORED} | dict.fromkeys(MISSING, "")
    for name in STORED:
        (secrets / name).write_text(f"{stored[name]}\n")
    known = host_variables(tmp_path, **SITUATIONS[situation])
    templar = Templar(DataLoader(), variables=known)
    computed = {name: RoleValues(templar, known).value(name) for name in COMPUTED}
    templates = {name: with_secrets(value) for name, value in known.items()} | {"stored": stored}
    templar = Templar(DataLoader(), variables=templates)
    # Templates of ansible-core 2.18 make texts of numbers.
    shown = {name: str(value) for name, value in computed.items()}
    assert shown == {name: str(templar.template(templates[name])) for name in COMPUTED}


def test_a_default_that_is_computed_exists_and_is_a_template() -> None:
    for name in COMPUTED:
        role = next(role for role in (SNOW, MDA, MDC, MSEM) if name.startswith(role))
        own = yaml.safe_load((ROLES / role / "vars/main.yml").read_text())
        assert "{" in str((own if "__" in name else defaults_of(role))[name])


def test_what_a_platform_returned_is_no_template(tmp_path: Path) -> None:
    known = host_variables(tmp_path, mda_connection_name=trusted("{{ answer }}"))
    known["answer"] = wrap_var("{{ snow_connection_application_name }}")
    assert RoleValues(Templar(DataLoader(), variables=known), known).value("mda_connection_name") == known["answer"]


def test_a_dictionary_is_evaluated_by_its_entries(tmp_path: Path) -> None:
    known = host_variables(
        tmp_path,
        connector={
            "name": "{{ inventory_hostname }}",
            "label": "{{ inventory_hostname | upper }}",
            "wait": True,
            "mode": "oauth",
        },
    )
    found = RoleValues(Templar(DataLoader(), variables=known), known).value("connector")
    assert found == {"name": "acme-dev", "label": "ACME-DEV", "wait": True, "mode": "oauth"}


@pytest.mark.parametrize(("constant", "found"), [("''", ""), ("'x'", "x"), ("false", False), ("true", True)])
@pytest.mark.parametrize("lacking", [{}, {"given": "{{ nowhere }}"}])
def test_a_constant_stands_for_a_variable_that_is_not_defined(
    tmp_path: Path, lacking: dict[str, Any], constant: str, found: Any
) -> None:
    known = host_variables(tmp_path, mda_connection_name=f"{{{{ given | default({constant}) }}}}", **lacking)
    value = RoleValues(Templar(DataLoader(), variables=known), known).value("mda_connection_name")
    # Templates of ansible-core 2.18 make texts of truth values.
    assert str(value) == str(found)


@pytest.mark.parametrize("value", ["{{ mda_connection_name }}", "{{ nowhere }}"])
def test_a_loop_and_an_undefined_variable_are_errors_of_the_template(tmp_path: Path, value: str) -> None:
    known = host_variables(tmp_path, mda_connection_name=value)
    with pytest.raises(AnsibleError):
        RoleValues(Templar(DataLoader(), variables=known), known).value("mda_connection_name")


def test_a_template_that_fails_names_variable_and_host_and_is_no_default() -> None:
    variables = {
        "mda_connection_name": "own",
        "hostvars": {"acme-qa": {"mda_connection_name": trusted("{{ nothing }}")}},
    }
    with pytest.raises(ValueError, match="^variable mda_connection_name cannot be evaluated for acme-qa: 'nothing' is"):
        values_for(Templar(DataLoader()), variables, "mda_connection_name", ["acme-qa"], None)
