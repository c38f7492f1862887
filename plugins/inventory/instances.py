# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceNow instances from a fleet file."""

from __future__ import annotations

DOCUMENTATION = r"""
name: instances
short_description: ServiceNow instances from a YAML or CSV file
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Makes a host of each row of a fleet file, in the group O(group), and in groups by release, environment and service.
  - A source is a YAML file with C(plugin=secops.servicenow_defender.instances). It names a fleet file, or has the rows itself.
  - A row has the columns C(name), C(url), C(release), C(environment) and C(services). Any other column is a variable of the host.
    Text of a fleet file is never evaluated as a template, and columns that hold secrets are refused.
  - No row is lost. Each row that is malformed, or that contradicts another one, is a warning with the number of its line, and its host takes
    part in playbooks of this collection as one that failed with this reason. A row without a usable name, or with that of its group, is a
    host named after its line.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [secops.servicenow_defender.instances]
  file:
    description:
      - The fleet file, relative to the folder of the source. Its name ends in C(.csv), C(.yml) or C(.yaml).
      - In a CSV file, the first row names the columns, separated by commas, semicolons or tabs. Several services in a cell are separated by
        spaces, C(+) or C(|). Lines that begin with C(#) are comments.
      - A YAML file is a list of rows, or has it as C(instances). A row that is only text is a name.
      - If not set, the source has O(instances).
    type: path
  instances:
    description: The rows, if there is no O(file).
    type: list
    elements: raw
  url:
    description: Address of an instance without the column C(url). V({name}) is replaced by its name.
    type: str
    default: https://{name}.service-now.com
  group:
    description: Group of all instances, see C(servicenow_defender_instances).
    type: str
    default: servicenow
  group_by:
    description: Columns by which groups are made, such as C(release_zurich), C(environment_prod) and C(service_mda).
    type: list
    elements: str
    choices: [release, environment, services]
    default: [release, environment, services]
notes:
  - The cache holds what the fleet file holds. A file that was changed is read again at once.
seealso:
  - plugin: secops.servicenow_defender.defender
    plugin_type: inventory
"""

EXAMPLES = r"""
# fleet.yml, with the rows itself
plugin: secops.servicenow_defender.instances
instances:
  - {name: acme-dev, environment: dev, release: zurich}
  - {name: acme-prod, environment: prod, release: yokohama, services: [mda, mdc]}

# fleet.yml, with the rows in a file of its own:
#
# plugin: secops.servicenow_defender.instances
# file: fleet.csv
#
# fleet.csv:
#
# name,environment,release,services,url
# acme-dev,dev,zurich,mda,
# acme-prod,prod,yokohama,mda mdc,https://servicenow.acme.example
"""

import json
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..plugin_utils.fleet_sources.instances import FleetReader
from ..plugin_utils.fleet_sources.inventory import add_hosts, read_source
from ..plugin_utils.fleet_sources.rows import FleetFileError, rows_of

ENDINGS = (".yml", ".yaml")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    NAME = "secops.servicenow_defender.instances"

    def verify_file(self, path: str) -> bool:
        """Return whether a source may be one of this plugin."""
        return bool(super().verify_file(path)) and path.endswith(ENDINGS)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the hosts of a source."""
        super().parse(inventory, loader, path, cache)
        read_source(self, path)
        try:
            found = self._found(path, cache)
        except FleetFileError as error:
            raise AnsibleParserError(str(error)) from error
        for problem in found["problems"]:
            self.display.warning(problem)
        add_hosts(self, found["hosts"], self.get_option("group"))

    def _found(self, path: str, cache: bool) -> dict[str, Any]:
        """Return the hosts and the problems of the fleet file, from the cache if that has them as the file is now."""
        file = self._fleet_file(path)
        if not file.is_file():
            raise FleetFileError(
                f"{file} {'is no file' if file.exists() else 'does not exist'}; correct file in {path}"
            )
        try:
            content = Path(self.loader.get_real_file(str(file))).read_bytes()
            state = file.stat()
        except Exception as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise FleetFileError(f"{file} cannot be read: {reason}") from error
        key = f"{self.get_cache_key(path)}_{file.name}_{state.st_mtime_ns}_{state.st_size}"
        uses_cache = self.get_option("cache")
        if uses_cache and cache and key in self._cache:
            cached: dict[str, Any] = json.loads(self._cache[key])
            return cached
        reader = FleetReader(file.name, self.get_option("url"), self.get_option("group_by"), self.get_option("group"))
        hosts = [
            {"name": each.name, "variables": each.variables, "groups": each.groups}
            for each in reader.read(rows_of(file, content))
        ]
        found = {"hosts": hosts, "problems": reader.problems}
        if uses_cache:
            self._cache[key] = json.dumps(found, default=str)
        return found

    def _fleet_file(self, path: str) -> Path:
        """Return the file with the rows: the source itself, or the one that it names."""
        named = self.get_option("file")
        if not named:
            return Path(path)
        if self.get_option("instances"):
            raise FleetFileError(f"{Path(path).name} has both file and instances; remove one")
        return Path(path).parent / Path(named).expanduser()
