# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a host's variables are connection options."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.secops.servicenow_defender.plugins.filter.connection_options import connection_options

HOST = {"mda_url": "https://a", "azure_tenant_id": "t", "snow_url": "https://s", "timeout": 5, "ansible_host": "x"}


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("mda", {"mda_url", "azure_tenant_id", "timeout"}),
        ("azure", {"azure_tenant_id", "timeout"}),
        ("snow", {"snow_url", "timeout"}),
    ],
)
def test_only_what_is_defined_and_belongs_to_the_group_is_taken(group: str, names: set[str]) -> None:
    assert connection_options(HOST, group) == {name: HOST[name] for name in names}


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="'aws' must be one of snow, azure, mda"):
        connection_options(HOST, "aws")
