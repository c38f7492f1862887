# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup of all options of a task, in a play of the user's own."""

from __future__ import annotations

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.lookup.task_options import DOCUMENTATION, LookupModule
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.task_options import MODULES

NAME = "secops.servicenow_defender.task_options"


@pytest.mark.parametrize("module", MODULES)
def test_without_the_roles_the_missing_variable_is_named(module: str) -> None:
    constants.config.initialize_plugin_configuration_definitions(
        "lookup", NAME, yaml.safe_load(DOCUMENTATION)["options"]
    )
    known = {"inventory_hostname": "acme-dev"}
    lookup = LookupModule(loader=DataLoader(), templar=Templar(DataLoader(), variables=known))
    lookup._load_name = NAME
    with pytest.raises(AnsibleLookupError, match=r"task_options: variable '\w+' is not defined\. The roles define it"):
        lookup.run([module], known)
