# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run, and the hosts that it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..plugin_utils.fleet import FAILURE, SELECTED_TENANT, hosts_of_run, raw_variables, selected
from ..plugin_utils.summary.lines import Missing, Mode, lines, status
from ..plugin_utils.summary.results import HostResult, host_result

DOCUMENTATION = r"""
name: fleet_summary
short_description: Summarize the results of a run, for all hosts together
version_added: 0.1.0
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
  requires_tenant:
    description: Whether a tenant that is not in the inventory leaves unproven what the run is to show.
    type: bool
    default: false
  tenant:
    description: Hosts of the tenant in the inventory, if the run needs it, to report why it did not take part.
    type: list
    elements: str
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
    tenant: Iterable[str] | None = None,
    requires_tenant: bool = False,
) -> list[str]:
    """Return the lines of the summary."""
    mode = Mode(check_mode or read_only, read_only)
    known = selected(hostvars) if instances is None else list(instances)
    tenants = [host for host in selected(hostvars, SELECTED_TENANT) if host not in known]
    results = {host: _result(hostvars, host, mode) for host in (*known, *tenants)}
    if instances is None and not known:
        return [*lines([], [results[host] for host in tenants], mode), "instances: not checked (none was selected)"]
    missing = _missing(tenant, requires_tenant)
    return lines([results[host] for host in known], [results[host] for host in tenants], mode, missing)


def hosts_to_fail(
    hostvars: Any,
    drift: bool = False,
    unproven: bool = False,
    tenant: Iterable[str] | None = None,
    requires_tenant: bool = False,
) -> list[str]:
    """Return the hosts of a run that failed, with `drift` also those that are not in sync, and with `unproven` those that may not be.

    A tenant that is required and that the inventory lacks has no host; the first host of the run stands for it.
    """
    mode = Mode(check=True, read_only=True)
    wanted = {"failed", *(["drift"] if drift else []), *(["unproven"] if unproven else [])}
    hosts = hosts_of_run(hostvars)
    results = {host: _result(hostvars, host, mode) for host in hosts}
    found = [
        host for host, result in results.items() if status(result, mode) in wanted or (unproven and result.unproven)
    ]
    without = unproven and _missing(tenant, requires_tenant).unproven
    return found or (hosts[:1] if without else [])


def _missing(tenant: Iterable[str] | None, required: bool) -> Missing:
    """Return why the tenant did not take part; one that `--limit` left out is not checked, which is no failure."""
    if tenant is None:
        return Missing()
    if list(tenant):
        return Missing("not selected by --limit")
    return Missing("its group in the inventory is empty", required)


def _result(hostvars: Any, host: str, mode: Mode) -> HostResult:
    variables = raw_variables(hostvars, host)
    failure: Mapping[str, Any] = variables.get(FAILURE) or {}
    return host_result(host, variables, check_mode=mode.check, failure=str(failure.get("message") or ""))


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"fleet_summary": fleet_summary, "hosts_of_run": hosts_of_run, "hosts_to_fail": hosts_to_fail}
