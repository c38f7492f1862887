# SPDX-License-Identifier: GPL-3.0-or-later
"""What role secret_rotation decides before it plans."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import ROLES
from tests.unit.plugins.plugin_utils.test_connections import trusted

RECORD = {"object": "data connector a", "client_id": "1", "key": "k"}
NAME = "secret_rotation__writes_data_connector"


@pytest.mark.parametrize(
    ("accepted", "writes"),
    [
        (json.dumps({**RECORD, "id": "42"}, separators=(",", ":")), True),
        # What ansible-core 2.18 makes of it.
        ({**RECORD, "id": "42"}, True),
        (json.dumps(RECORD, separators=(",", ":")), False),
        (RECORD, False),
        ("", False),
    ],
)
def test_a_contract_without_a_list_writes_a_data_connector_whose_id_is_recorded(accepted: Any, writes: bool) -> None:
    own = yaml.safe_load((ROLES / "secret_rotation/vars/main.yml").read_text())
    contract = {"operations": {"update": {"path": "/connectors/${id}"}}}
    known = {
        **{name: value for name, value in own.items() if name in (NAME, "secret_rotation__operations")},
        "msem_connection__contract": contract,
        "msem_connection__session": {"mda_portal_cookie": "c"},
        "msem_connection_accepted": accepted,
    }
    assert str(Templar(DataLoader(), variables=trusted(known)).template(trusted(f"{{{{ {NAME} }}}}"))) == str(writes)
