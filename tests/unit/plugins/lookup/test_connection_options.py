# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the variables at hand are connection options."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.lookup.connection_options import DOCUMENTATION, LookupModule

NAME = "secops.servicenow_defender.connection_options"
VARIABLES = {"mda_url": "https://a", "azure_tenant_id": "t", "snow_url": "https://s", "timeout": 5, "ansible_host": "x"}


def look(*groups: str, variables: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
    known = VARIABLES if variables is None else variables
    # As the loader of plugins does, without which no option is known.
    constants.config.initialize_plugin_configuration_definitions(
        "lookup", NAME, yaml.safe_load(DOCUMENTATION)["options"]
    )
    lookup = LookupModule(loader=DataLoader(), templar=Templar(DataLoader(), variables=known))
    lookup._load_name = NAME
    found: list[dict[str, Any]] = lookup.run(list(groups), known, **options)
    return found


def test_only_what_is_defined_and_belongs_to_the_group_is_taken() -> None:
    assert look("snow") == [{"snow_url": "https://s", "timeout": 5}]
    assert look("mda", "azure") == [
        {"mda_url": "https://a", "azure_tenant_id": "t", "timeout": 5},
        {"azure_tenant_id": "t", "timeout": 5},
    ]
    assert look("snow", variables={}) == [{}]


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(AnsibleLookupError, match="'aws' must be one of snow, azure, mda"):
        look("aws")


def test_the_variables_of_another_host_are_used() -> None:
    variables = {**VARIABLES, "hostvars": {"tenant": {"azure_tenant_id": "other", "azure_client_id": "c"}}}
    assert look("azure", variables=variables, host="tenant") == [{"azure_tenant_id": "other", "azure_client_id": "c"}]
    assert look("azure", variables=variables, host="nowhere") == [{}]
