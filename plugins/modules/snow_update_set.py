#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snow_update_set
short_description: Manage an update set that a ServiceNow instance takes over from another one
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Retrieves a completed update set from another instance, previews it and commits it, or backs it out again, through the
    CI/CD API of the instance.
  - A preview with problems stops the task, which reports all of them; nothing is committed then. After a commit, the
    module reads back whether the set is committed, with all of its updates and their rows.
  - If several completed update sets of the source have the name, all of them are previewed, and then committed in the
    order in which they were created.
  - A run that was interrupted is continued by the next one with what is left to do.
extends_documentation_fragment:
  - secops.servicenow_defender._attributes
  - secops.servicenow_defender._attributes.actiongroup_snow
  - secops.servicenow_defender._attributes.state_module
  - secops.servicenow_defender._snow
  - secops.servicenow_defender._polling
  - secops.servicenow_defender._transport
attributes:
  check_mode:
    details:
      - The problems of a preview are only known after it has run, and it writes to the instance.
options:
  source:
    description:
      - Name of the instance that the update set comes from. This is the name of its row in C(sys_update_set_source) on
        the instance that takes it over. If there is no such row, the one with its URL is used.
    type: str
    required: true
  update_set:
    description:
      - Name of the update set on O(source).
    type: str
    required: true
  state:
    description:
      - V(committed) retrieves, previews and commits what is not committed yet.
      - V(previewed) retrieves and previews, and reports the problems of the preview in RV(update_set.problems).
      - V(backed_out) undoes the commit. Inserted rows are deleted, and updated ones get their earlier values. If the set
        is committed again later, its preview reports the deletions as conflicts.
    type: str
    choices: [committed, previewed, backed_out]
    default: committed
  accept_conflicts:
    description:
      - Whether an update is accepted although it conflicts with a newer change of the instance, which it overwrites.
      - Updates that need something that the instance does not have (C(Could not find ...)) are never accepted.
    type: bool
    default: false
  source_options:
    description:
      - Connection options of O(source), as a dictionary, such as those that the lookup
        P(secops.servicenow_defender.connection_options#lookup) returns for its host. The source is only read, to find the
        update set, its updates, and the release. Updates that were added to a set after it was retrieved fail the task.
      - If not set, the module works with the update sets of this name that the instance has retrieved before. The release of
        the source is not compared then.
    type: dict
notes:
  - Requires the role C(sn_cicd.sys_ci_automation) or C(admin), read access to the tables of update sets, and the plugin
    C(com.glide.continuousdelivery). If the roles of the calling account can be read, missing roles fail the task before
    it starts anything.
  - The instance itself retrieves the update set from the source, with the account in its row of C(sys_update_set_source).
  - A source of a newer release is refused, because ServiceNow warns of outages and data loss in this direction.
  - Whether a commit through the API may write access rules is not documented. If they did not take effect, the task fails
    and names them.
seealso:
  - module: secops.servicenow_defender.snow_table_acls
  - module: secops.servicenow_defender.snow_hardening
  - name: CICD Update Set API
    description: The API that this module uses.
    link: https://www.servicenow.com/docs/r/api-reference/rest-apis/cicd-update-set-api.html
  - name: 'Facts: CI/CD update set API'
    description: Facts that this module relies on, with grades and public sources.
    link: https://github.com/secops-collections/servicenow_defender/blob/main/docs/facts/servicenow_platform.md#cicd-update-set-api
"""

EXAMPLES = r"""
- name: Take over the access rules that were completed on acme-dev
  secops.servicenow_defender.snow_update_set:
    snow_url: https://acme-prod.service-now.com
    snow_username: svc_ansible
    snow_password: "{{ vault_snow_password }}"
    source: acme-dev
    source_options:
      snow_url: https://acme-dev.service-now.com
      snow_username: svc_ansible
      snow_password: "{{ vault_dev_password }}"
    update_set: 'Defender: read access of defender_cloud_apps_reader'

- name: See first what the preview finds, for all instances of an inventory
  secops.servicenow_defender.snow_update_set:
    source: acme-dev
    source_options: "{{ lookup('secops.servicenow_defender.connection_options', 'snow', host='acme-dev') }}"
    update_set: Hardening settings that need elevation
    state: previewed

- name: Undo it
  secops.servicenow_defender.snow_update_set:
    source: acme-dev
    update_set: Hardening settings that need elevation
    state: backed_out
"""

RETURN = r"""
msg:
  description: What was found or done, in one sentence.
  returned: always
  type: str
  sample: 'acme-prod: update_set Hardening settings that need elevation committed'
update_set:
  description: The update set as it is on the instance after the task; in check mode before it.
  returned: success, and when a preview has problems
  type: dict
  contains:
    name:
      description: Name of the update set.
      type: str
    source:
      description: Name of the source.
      type: str
    sets:
      description: The update sets of this name, the oldest first.
      type: list
      elements: dict
      contains:
        source_sys_id:
          description: The sys_id of the update set on the source.
          type: str
        state:
          description: State on the instance, such as V(loaded), V(previewed) or V(committed); V(absent) if it was not retrieved.
          type: str
        updates:
          description: Number of its updates.
          type: int
    problems:
      description: Problems that the last preview found.
      type: list
      elements: dict
      contains:
        type:
          description: V(error) stops a commit, V(warning) does not.
          type: str
        status:
          description: Empty as long as nothing is decided, V(ignored) for an accepted update, V(skipped) for one that is left out.
          type: str
        object:
          description: Name of the object that the update changes.
          type: str
        description:
          description: The problem in the words of the instance.
          type: str
  sample:
    name: Hardening settings that need elevation
    source: acme-dev
    sets:
      - source_sys_id: 2ce715950d619e10f87785462179bd67
        state: committed
        updates: 12
    problems: []
drift:
  description: Differences to the desired state, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
manual_steps:
  description: Manual steps with the values to enter, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
unproven:
  description: What could not be compared, and why, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: success
  type: list
  elements: dict
api_calls:
  description: Number of HTTP requests that the task sent, see R(What modules return,ansible_collections.secops.servicenow_defender.docsite.guide_results).
  returned: always
  type: dict
  sample: {read: 1, write: 0}
"""

from ..module_utils import ansible_module
from ..module_utils.engine.reconcile import reconcile
from ..module_utils.snow import SNOW_OPTIONS, store_for
from ..module_utils.snow.update_sets.request import STATES
from ..module_utils.snow.update_sets.source import SourceInstance, connection_secrets
from ..module_utils.snow.update_sets.take_over import request_of
from ..module_utils.snow.update_sets.update_set import UpdateSet
from ..module_utils.transport.polling import WAIT_OPTIONS

SPEC = ansible_module.ModuleSpec(
    options={
        "source": {"type": "str", "required": True},
        "source_options": {"type": "dict"},
        "update_set": {"type": "str", "required": True},
        "state": {"type": "str", "choices": list(STATES), "default": STATES[0]},
        "accept_conflicts": {"type": "bool", "default": False},
        **{name: option for name, option in WAIT_OPTIONS.items() if name != "wait"},
    },
    groups=[SNOW_OPTIONS],
    secrets=connection_secrets,
)


def run(params: ansible_module.Params, context: ansible_module.TaskContext) -> ansible_module.Result:
    """Bring an update set of another instance to the desired state."""
    store = store_for(params, context)
    source = SourceInstance.from_params(params, context, params["update_set"])
    request = request_of(params, params["update_set"], source)
    return reconcile(store, UpdateSet(request, source, store.client), noun=UpdateSet.noun)


def main() -> None:
    ansible_module.run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
