# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceNow instances that a Microsoft tenant knows."""

from __future__ import annotations

DOCUMENTATION = r"""
name: defender
short_description: ServiceNow instances that a Microsoft tenant is connected to
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Makes a host of each ServiceNow connector of Defender for Cloud Apps and of each ServiceNow integration of Defender for Cloud. A connector
    and an integration of one name, or of the host that the address of the connector names, are one host.
  - It only reads. It shows what is connected, also what no fleet file has, and its hosts can be compared and adopted by the playbooks of this
    collection, with connection options from C(group_vars).
  - Cloud Apps is read if O(mda_url) is set, Defender for Cloud if O(azure_subscription_id) is set. If one of the two refuses, its instances
    are missing, which is a warning; if all do, the source fails.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - secops.servicenow_defender._azure
  - secops.servicenow_defender._mda
  - secops.servicenow_defender._mda.app
  - secops.servicenow_defender._transport
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [secops.servicenow_defender.defender]
  group:
    description: Group of all instances, see C(servicenow_defender_instances).
    type: str
    default: servicenow
notes:
  - Connection options can be templates with lookups, such as of a vault. The cache holds names, addresses, states and times, and no secret.
  - Integrations are known by their display name only. Microsoft returns neither their address nor their account.
  - Groups are C(service_mda), C(service_mdc), C(connector_) followed by the status of M(secops.servicenow_defender.mda_connector_info), and
    C(integration_enabled) or C(integration_disabled).
seealso:
  - plugin: secops.servicenow_defender.instances
    plugin_type: inventory
  - module: secops.servicenow_defender.mda_connector_info
  - module: secops.servicenow_defender.mdc_integration_info
"""

EXAMPLES = r"""
# connected.yml
plugin: secops.servicenow_defender.defender
mda_url: https://acme.eu2.portal.cloudappsecurity.com
mda_api_token: "{{ lookup('ansible.builtin.env', 'MDA_API_TOKEN') }}"
azure_tenant_id: 11111111-2222-3333-4444-555555555555
azure_client_id: 66666666-7777-8888-9999-000000000000
azure_client_secret: "{{ lookup('ansible.builtin.env', 'AZURE_CLIENT_SECRET') }}"
azure_subscription_id: 00000000-0000-0000-0000-000000000003
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: .inventory-cache
"""

import json
from types import ModuleType
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils import ansible_module
from ..module_utils.transport.redact import Redactor
from ..modules import mda_connector_info, mdc_integration_info
from ..plugin_utils.fleet_sources.inventory import add_hosts, read_source
from ..plugin_utils.fleet_sources.tenant import KnownInstances

ENDINGS = (".yml", ".yaml")
# The module of each service, and the option without which there is nothing to read.
READERS = ((mda_connector_info, "mda_url"), (mdc_integration_info, "azure_subscription_id"))


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    NAME = "secops.servicenow_defender.defender"

    def verify_file(self, path: str) -> bool:
        """Return whether a source may be one of this plugin."""
        return bool(super().verify_file(path)) and path.endswith(ENDINGS)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the hosts that the tenant knows."""
        super().parse(inventory, loader, path, cache)
        read_source(self, path)
        key, uses_cache = self.get_cache_key(path), self.get_option("cache")
        if uses_cache and cache and key in self._cache:
            known = KnownInstances(**json.loads(self._cache[key]))
        else:
            known, is_complete = self._read()
            if uses_cache and is_complete:
                self._cache[key] = json.dumps({"hosts": known.hosts, "problems": known.problems})
        for problem in known.problems:
            self.display.warning(problem)
        add_hosts(self, known.hosts.values(), self.get_option("group"))

    def _read(self) -> tuple[KnownInstances, bool]:
        """Return what the tenant knows, and whether all of its services have answered."""
        known, failures, answers, is_complete = KnownInstances(), [], 0, True
        for module, needed in READERS:
            params, redactor, problem = self._params(module)
            if not params.get(needed) and not problem:
                continue
            result: dict[str, Any] = {"failed": True, "msg": problem} if problem else _ask(module, params, redactor)
            if result.get("failed"):
                failures.append(str(result["msg"]))
                continue
            answers += 1
            evidence = result.get("evidence") or []
            is_complete = is_complete and not evidence
            known.add_connectors(result.get("connectors") or [], evidence)
            known.add_integrations(result.get("integrations") or [])
        if not answers:
            nothing = "neither mda_url nor azure_subscription_id is set, so that there is nothing to read"
            raise AnsibleParserError("; ".join(failures) or nothing)
        known.problems += [f"instances of this service are missing: {failure}" for failure in failures]
        return known, is_complete and not failures

    def _params(self, module: ModuleType) -> tuple[dict[str, Any], Redactor, str]:
        """Return the options of a module with defaults and environment variables, and what is wrong with them, "" for nothing."""
        spec: ansible_module.ModuleSpec = module.SPEC
        given = {name: self.get_option(name) for name in spec.argument_spec if self.has_option(name)}
        given = {name: self.templar.template(value) for name, value in given.items() if value is not None}
        validated = ArgumentSpecValidator(spec.argument_spec, **spec.rules).validate(given)
        redactor = Redactor({str(value) for value in validated._no_log_values})
        messages = validated.error_messages
        return (
            dict(validated.validated_parameters),
            redactor,
            redactor.scrub_text("; ".join(messages)) if messages else "",
        )


def _ask(module: ModuleType, params: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Return the result of a module."""
    context = ansible_module.TaskContext(check_mode=True, redactor=redactor)
    name = module.__name__.rsplit(".", 1)[-1]
    return ansible_module.run_task(name, module.SPEC, module.run, params, context, with_diff=False)
