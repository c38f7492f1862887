# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would write, and whether a saved plan or a change request allows that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ..plugin_utils.change_control.change import COLUMNS, change_gate, key_of
from ..plugin_utils.change_control.gate import Gate, refused, saved_plan_gate
from ..plugin_utils.change_control.run_plan import APPLIED, APPLYING, PLANNED, RunPlan
from ..plugin_utils.fleet import FAILURE, SELECTED_TENANT, hosts_of_gate, hosts_of_run, hosts_to_close, raw_variables
from ..plugin_utils.summary.lines import named
from ..plugin_utils.summary.results import host_result

DOCUMENTATION = r"""
name: run_plan
short_description: What a run would write
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns every value that a playbook would write, from the results that the roles of this collection have registered in check mode on
    the hosts of the run. Secrets and ids that are only known later have one word each, so that equal plans have equal digests.
positional: _input, playbook
options:
  _input:
    description: C(hostvars).
    type: dict
    required: true
  playbook:
    description: Name of the playbook.
    type: str
    required: true
seealso:
  - plugin: secops.servicenow_defender.saved_plan_gate
    plugin_type: filter
  - plugin: secops.servicenow_defender.change_gate
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the digest of what the playbook onboard would write
  ansible.builtin.debug:
    msg: "{{ (hostvars | secops.servicenow_defender.run_plan('onboard')).sha256 }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    playbook:
      description: Name of the playbook.
      type: str
    fleet:
      description: Addresses of the hosts of the run, by name.
      type: dict
    changes:
      description: Changes with the keys V(instance), V(object), V(field), V(before) and V(after).
      type: list
      elements: dict
    failed:
      description: Hosts that could not be planned.
      type: list
      elements: str
    sha256:
      description: SHA-256 of the canonical form of playbook, fleet and changes.
      type: str
    search:
      description: Options O(secops.servicenow_defender.snow_record_info#module:query) and O(secops.servicenow_defender.snow_record_info#module:fields)
        that find the change requests of this playbook and fleet.
      type: dict
"""


def run_plan(hostvars: Any, playbook: str) -> dict[str, Any]:
    """Return what a run would write, from its results in check mode."""
    drift, failed, fleet = [], [], {}
    for host in hosts_of_run(hostvars):
        variables = raw_variables(hostvars, host)
        found = host_result(host, variables, check_mode=True, failure=str(variables.get(FAILURE) or ""))
        failed += [host] if found.failure else []
        drift += [(host, entry) for entry in (*found.values, *found.pending)]
        fleet[host] = _address(hostvars[host], is_tenant=SELECTED_TENANT in variables)
    plan = RunPlan.of(playbook, fleet, drift)
    return {
        "playbook": playbook,
        "fleet": fleet,
        "changes": list(plan.rows),
        "failed": failed,
        "sha256": plan.digest,
        "search": {"query": f"correlation_idSTARTSWITH{key_of(plan)}", "fields": list(COLUMNS)},
    }


def saved_plan(found: Mapping[str, Any], path: str, content: str | None = None, check_mode: bool = False) -> Any:
    """Return whether a run may write its plan, given the text of the file of the saved plan."""
    return (_not_planned(found) or saved_plan_gate(_plan(found), path, content, check_mode=check_mode)).as_dict()


def plan_document(found: Mapping[str, Any], state: str, content: str | None = None) -> str:
    """Return the text of the file of a saved plan; `content` is the text of one that is kept, but for its state."""
    if state not in (PLANNED, APPLYING, APPLIED):
        raise ValueError(f"plan_document: {state!r} must be one of {PLANNED}, {APPLYING}, {APPLIED}")
    plan = RunPlan.from_document(content)[0] if content else _plan(found)
    return plan.document(state)


def change_request(
    found: Mapping[str, Any], records: Iterable[Mapping[str, Any]], check_mode: bool = False, **options: Any
) -> Any:
    """Return whether a run may write its plan, given the change requests of its playbook and fleet."""
    now = datetime.now(timezone.utc)
    gate = _not_planned(found) or change_gate(_plan(found), records, now, options, check_mode=check_mode)
    return gate.as_dict()


def _plan(found: Mapping[str, Any]) -> RunPlan:
    return RunPlan(found["playbook"], found["fleet"], tuple(dict(row) for row in found["changes"]))


def _not_planned(found: Mapping[str, Any]) -> Gate | None:
    """Return the gate of a run in which hosts could not be planned: what it would write is not known."""
    if not found["failed"]:
        return None
    return refused(
        f"{named(found['failed'])} could not be planned, so nothing was written. Correct that, or leave out hosts with --limit"
    )


def _address(variables: Mapping[str, Any], *, is_tenant: bool) -> str:
    names = ("azure_tenant_id", "azure_subscription_id", "mda_url") if is_tenant else ("snow_url",)
    return " ".join(str(variables[name]).strip().rstrip("/").lower() for name in names if variables.get(name))


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "change_gate": change_request,
            "hosts_to_close": hosts_to_close,
            "plan_document": plan_document,
            "hosts_of_gate": hosts_of_gate,
            "run_plan": run_plan,
            "saved_plan_gate": saved_plan,
        }
