# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run, and the hosts that it fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ..plugin_utils.fleet import (
    DEFAULT_TENANT,
    FAILURE,
    GATE,
    SELECTED_TENANT,
    MergedOnce,
    chooses_hosts,
    gate_of,
    hosts_of_run,
    list_of,
    raw_variables,
    selected,
)
from ..plugin_utils.summary.connectors import connector_results
from ..plugin_utils.summary.lines import Mode, lines, named, status
from ..plugin_utils.summary.missing_tenant import PRESENT, Missing, Tags, missing_tenant
from ..plugin_utils.summary.report_note import report_note
from ..plugin_utils.summary.results import IGNORED, NOTED, WHOLE, HostResult, host_result, predicted_failure

# What the tenant's host has if its connections to the instances were compared, and an instance that was still at work later.
CONNECTIONS = (
    "mda_connection_result",
    "mda_connection_verified",
    "mdc_itsm_access",
    "mdc_itsm_result",
    "msem_connection_result",
)
AFTER_TENANT = "mdc_configuration_compliance_result"

DOCUMENTATION = r"""
name: fleet_summary
short_description: Summarize the results of a run, for all hosts together
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns a line of counts, then only what is not in sync. Equal findings of several hosts are one line, and each manual step is listed
    once with every value on its own line.
  - Reads the results that the roles of this collection register on the hosts that take part in the run.
positional: _input
options:
  _input:
    description: C(hostvars).
    type: dict
    required: true
  instances:
    description: Instances to summarize. If not set, those that the playbook selected.
    type: list
    elements: str
  check_mode:
    description: Whether nothing was written, so that every deviation is still open.
    type: bool
    default: false
  read_only:
    description: Whether the run never writes, as the playbook C(drift).
    type: bool
    default: false
  groups:
    description: C(groups), to report why the tenant does not take part. If not set, the run needs none.
    type: dict
  tenant_group:
    description: Group of the tenant.
    type: str
    default: defender
  tags:
    description: C(ansible_run_tags), of which one lets the tasks of the tenant take part.
    type: list
    elements: str
    default: [all]
  skip_tags:
    description: C(ansible_skip_tags).
    type: list
    elements: str
    default: []
  service_tags:
    description: Tags that tasks of the tenant have in addition to their service.
    type: list
    elements: str
    default: []
  report_dir:
    description: Directory that was given for the report, to say so if the callback that writes it is not enabled.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show summary
  ansible.builtin.debug:
    msg: "{{ hostvars | secops.servicenow_defender.fleet_summary(check_mode=ansible_check_mode) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample:
    - "3 instances: 2 in sync, 1 drift; tenant: in sync"
    - "drift: acme-prod: user svc_defender_cloud_apps (roles)"
"""


def fleet_summary(
    hostvars: Any,
    instances: Iterable[str] | None = None,
    check_mode: bool = False,
    read_only: bool = False,
    groups: Mapping[str, Collection[str]] | None = None,
    report_dir: Any = "",
    **tenant: Any,
) -> list[str]:
    """Return the lines of the summary; `tenant` are the options of `tenant_gap`."""
    hostvars = MergedOnce(hostvars)
    notes = report_note(str(report_dir or ""))
    gate = gate_of(hostvars)
    mode = Mode(check_mode or read_only or bool(gate.get("held")), read_only)
    known = selected(hostvars) if instances is None else list(instances)
    tenants = [host for host in selected(hostvars, SELECTED_TENANT) if host not in known]
    results = {host: _result(hostvars, host, mode) for host in (*known, *tenants)}
    if instances is None and not known:
        return [
            *lines([], [results[host] for host in tenants], mode),
            "instances: not checked (none was selected)",
            *_gate_lines(gate),
            *notes,
        ]
    missing = _missing(hostvars, groups, **tenant)
    for host in tenants:
        results[host].unproven.update(_not_compared(hostvars, host, known))
    of_tenants = [raw_variables(hostvars, host) for host in tenants]
    for host, connector in connector_results(known, of_tenants, check_mode=mode.check).items():
        results[host].connector = connector
    found = lines([results[host] for host in known], [results[host] for host in tenants], mode, missing)
    return [*found, *_gate_lines(gate), *notes]


def _gate_lines(gate: Mapping[str, Any]) -> list[str]:
    """Return what the gate between planning and applying says."""
    return str(gate.get("message") or "").splitlines()


@chooses_hosts
def tenant_gap(
    hostvars: Any, groups: Mapping[str, Collection[str]] | None, hosts: bool = False, **tenant: Any
) -> list[dict[str, str]] | list[str]:
    """Return the entry of `unproven` for a tenant that the run needs and that the inventory lacks, else none.

    With `hosts` the host of the run that notes it, instead.
    """
    hostvars = MergedOnce(hostvars)
    missing = _missing(hostvars, groups, **tenant)
    if not missing.unproven:
        return []
    if hosts:
        return hosts_of_run(hostvars)[:1]
    return [{"host": missing.group, "object": f"tenant {missing.group}", "field": WHOLE, "reason": missing.reason}]


@chooses_hosts
def hosts_to_fail(
    hostvars: Any, drift: bool = False, unproven: bool = False, representative: bool = False
) -> list[str]:
    """Return the hosts of a run that failed, with `drift` also those that are not in sync, and with `unproven` those that may not be.

    The host that notes what is unproven of a host that does not exist stands for it. With `representative`, the first host
    without a recorded failure stands for all of these.
    """
    hostvars = MergedOnce(hostvars)
    mode = Mode(check=True, read_only=True)
    wanted = {"failed", "unreachable", *(["drift"] if drift else [])}
    found = []
    for host in hosts_of_run(hostvars):
        result = _result(hostvars, host, mode)
        variables = raw_variables(hostvars, host)
        noted, gate = variables.get(NOTED), variables.get(GATE) or {}
        if gate.get("failed") or status(result, mode) in wanted or (unproven and (result.unexpected or noted)):
            found.append(host)
    if not representative:
        return found
    failed = [host for host in found if FAILURE in raw_variables(hostvars, host)]
    return [*failed, *[host for host in found if host not in failed][:1]]


@chooses_hosts
def predicted_failures(hostvars: Any) -> dict[str, str]:
    """Return why a run without check mode fails, by host, for the hosts of a run in check mode that have not failed themselves."""
    hostvars = MergedOnce(hostvars)
    found: dict[str, str] = {}
    for host in hosts_of_run(hostvars):
        variables = raw_variables(hostvars, host)
        reason = "" if FAILURE in variables else predicted_failure(variables)
        found |= {host: reason} if reason else {}
    return found


def _not_compared(hostvars: Any, tenant: str, instances: Iterable[str]) -> dict[str, str]:
    """Return what the plays of the tenant left out, as in `HostResult.unproven`: they do not serve instances that have failed."""
    if not any(name in raw_variables(hostvars, tenant) for name in CONNECTIONS):
        return {}
    variables = ((host, raw_variables(hostvars, host)) for host in instances)
    failed = [host for host, known in variables if FAILURE in known and AFTER_TENANT not in known]
    return {f"connection of {named(failed)}": "not compared, as the work on the instance failed"} if failed else {}


def _missing(
    hostvars: Any,
    groups: Mapping[str, Collection[str]] | None,
    tenant_group: str = DEFAULT_TENANT,
    tags: Collection[str] = ("all",),
    skip_tags: Collection[str] = (),
    service_tags: Collection[str] = (),
) -> Missing:
    if groups is None:
        return PRESENT
    return missing_tenant(hostvars, groups, tenant_group, Tags(tags, skip_tags, service_tags))


def _result(hostvars: Any, host: str, mode: Mode) -> HostResult:
    variables = raw_variables(hostvars, host)
    failure: Mapping[str, Any] = variables.get(FAILURE) or {}
    if variables.get(IGNORED):
        # It may be a template, or have some.
        variables = {**variables, IGNORED: list_of(hostvars, host, IGNORED)}
    return host_result(host, variables, check_mode=mode.check, failure=str(failure.get("message") or ""))


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "fleet_summary": fleet_summary,
            "hosts_of_run": hosts_of_run,
            "hosts_to_fail": hosts_to_fail,
            "predicted_failures": predicted_failures,
            "tenant_gap": tenant_gap,
        }
