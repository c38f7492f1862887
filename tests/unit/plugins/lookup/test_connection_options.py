# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the variables at hand are connection options."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from ansible.template import Templar

with suppress(Exception):  # pytest may have done it in another file
    init_plugin_loader()

VARIABLES = {"mda_url": "https://a", "azure_tenant_id": "t", "snow_url": "https://s", "timeout": 5, "ansible_host": "x"}


def look(*groups: str, variables: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
    known = VARIABLES if variables is None else variables
    name = "secops.servicenow_defender.connection_options"
    lookup = lookup_loader.get(name, loader=DataLoader(), templar=Templar(DataLoader(), variables=known))
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
