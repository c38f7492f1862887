#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action of this name, which runs on the controller: it writes files to the directory of the inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: adopted_variables
short_description: Manage the variables that describe what a host already has
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Reads an instance, or a tenant, with the modules of this collection in check mode, and writes the variables of the roles that describe
    it to C(host_vars/<host>/servicenow_defender.yml) below O(folder). Nothing is ever written to a platform.
  - Values that are defaults are left out. Secrets are named, never read or generated.
  - The variables are a block of their own in the file. All other lines stay as they are, and a variable that is set among them is left out
    of the block.
  - Connection options and names are taken from the variables of the host. An application, account or role that no variable names is found
    by its tokens and its name; the task fails if two look alike.
  - The playbook C(adopt) of this collection uses this action.
options:
  kind:
    description: What the host is.
    type: str
    choices: [instance, tenant]
    default: instance
  folder:
    description: Folder of the inventory.
    type: path
    required: true
attributes:
  action:
    description: It runs on the controller only.
    support: full
  check_mode:
    description: The file is not written, and the diff shows it.
    support: full
  diff_mode:
    description: The diff is that of the file.
    support: full
seealso:
  - module: secops.servicenow_defender.snow_drift_info
"""

EXAMPLES = r"""
- name: Show which variables describe an instance
  secops.servicenow_defender.adopted_variables:
    folder: "{{ inventory_dir }}"
  check_mode: true
  diff: true
"""

RETURN = r"""
msg:
  description: The file and what became of it, in one sentence.
  returned: always
  type: str
  sample: '/etc/ansible/host_vars/acme-prod/servicenow_defender.yml: written, 4 variables'
path:
  description: The file.
  returned: success
  type: str
  sample: /etc/ansible/host_vars/acme-prod/servicenow_defender.yml
adopted:
  description: The variables.
  returned: success
  type: dict
  sample:
    snow_connection_application_name: Cloud App Security
objects:
  description: Of a tenant, the variables that name what serves each instance, by host.
  returned: success
  type: dict
  sample:
    acme-prod:
      mda_connection_name: ServiceNow production
results:
  description: The objects in RV(drift), which are left as they are.
  returned: success
  type: list
  elements: dict
  sample:
    - object: user mcas.service
      status: drift
drift:
  description: What no variable describes, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
unproven:
  description: What could not be compared, and why, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
"""
