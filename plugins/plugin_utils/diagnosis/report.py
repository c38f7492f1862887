# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a diagnosis: the controller, the variables, both sides, the trusts between them, and the next command."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..fleet import DEFAULT_INSTANCES, DEFAULT_TENANT, FAILURE, INSTANCES_VARIABLE, TENANT_VARIABLE, did_you_mean
from ..summary.lines import named
from ..summary.missing_instances import group_problem
from .trusts import UNPROVEN, Json, Tenant, is_set_up, trusts

ERROR, WARNING = "error", "warning"
PLAYBOOK = "ansible-playbook secops.servicenow_defender."
INFORMATION, COMPLIANCE = "snow_preflight_result", "mdc_configuration_compliance_result"
# Which onboard solves, with consent.
PLAN_OFF = "plan_off"


@dataclass
class Input:
    """What was read: variables of the instances and of the tenant by host, versions of the controller, groups and sources of the inventory."""

    instances: Mapping[str, Json]
    tenants: Mapping[str, Json]
    versions: Mapping[str, str]
    version_problems: list[str] = field(default_factory=list)
    groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    instances_group: Any = DEFAULT_INSTANCES
    tenant_group: Any = DEFAULT_TENANT


class Diagnosis:
    """Collects lines and counts errors."""

    def __init__(self, found: Input) -> None:
        self.found = found
        self.errors = 0

    def lines(self) -> list[str]:
        """Return all lines; `errors` is then their number."""
        self.errors = 0
        return [
            *self._controller(),
            *self._variables(),
            *self._instances(),
            *self._tenant(),
            *self._trusts(),
            f"next: {self._next()}",
        ]

    def _problem(self, severity: str, text: str) -> str:
        self.errors += severity == ERROR
        return f"- {severity}: {text}"

    def _controller(self) -> Iterator[str]:
        yield "controller: " + ", ".join(f"{name} {each or 'missing'}" for name, each in self.found.versions.items())
        for problem in self.found.version_problems:
            yield self._problem(ERROR, problem)

    def _variables(self) -> Iterator[str]:
        hosts = (*self.found.instances.values(), *self.found.tenants.values())
        groups = ((self.found.instances_group, INSTANCES_VARIABLE), (self.found.tenant_group, TENANT_VARIABLE))
        wrong = filter(None, (group_problem(self.found.groups, *each) for each in groups))
        found = (error for known in hosts for error in known.get("doctor_variable_errors") or [])
        errors = list(dict.fromkeys((*wrong, *found)))
        yield f"variables: {f'{len(errors)} to correct' if errors else 'no misspelt or wrong ones'}"
        for error in errors:
            yield self._problem(ERROR, error)

    def _instances(self) -> Iterator[str]:
        known = self.found.instances
        if not known and self.found.groups.get(str(self.found.instances_group)):
            yield "instances: not checked (not selected by --limit)"
            return
        if not known:
            yield "instances: none"
            yield self._problem(
                ERROR, self._missing_group(str(self.found.instances_group), "There is nothing to connect")
            )
            return
        failed = {host: each[FAILURE] for host, each in known.items() if FAILURE in each}
        yield f"instances: {len(known) - len(failed)} of {len(known)} answered"
        for text, hosts in _grouped((host, str(failure.get("message"))) for host, failure in failed.items()):
            yield self._problem(ERROR, f"{hosts}: {text}")
        for text, hosts in _grouped((host, _read(each)) for host, each in known.items() if host not in failed):
            yield f"- {hosts}: {text}"
        for severity in (ERROR, WARNING):
            for text, hosts in _grouped(_problems(known, severity)):
                yield self._problem(severity, f"{hosts}: {text}")

    def _missing_group(self, group: str, otherwise: str) -> str:
        return f"the inventory has no hosts in the group {group}.{self._resembling(group) or f' {otherwise}'}"

    def _resembling(self, group: str) -> str:
        """Return " Did you mean x?" for a group of the inventory that has another name, "" without one."""
        others = [name for name in self.found.groups if name not in ("all", "ungrouped", group)]
        return did_you_mean(group, others, cutoff=0.6)

    def _tenant(self) -> Iterator[str]:
        group = str(self.found.tenant_group)
        if not self.found.tenants and self.found.groups.get(group):
            yield "tenant: not checked (not selected by --limit)"
        elif not self.found.tenants:
            yield f"tenant: {UNPROVEN}"
            yield self._problem(UNPROVEN, self._missing_group(group, "Add the tenant as its only host"))
        for host, known in self.found.tenants.items():
            yield f"tenant: host {host}"
            if FAILURE in known:
                yield self._problem(ERROR, str(known[FAILURE].get("message")))
            yield from self._service(known.get("doctor_connectors"), "Defender for Cloud Apps", "connectors")
            yield from self._service(known.get("doctor_access"), "Defender for Cloud, rights and plan", "")
            yield from self._service(
                known.get("doctor_integrations"), "Defender for Cloud, integrations", "integrations"
            )
            yield from self._service(known.get("msem_connection_result"), "Exposure Management", "results")

    def _service(self, result: Any, title: str, noun: str) -> Iterator[str]:
        """Yield what was read of a service; nothing if no instance is connected to it."""
        if not isinstance(result, Mapping):
            return
        if result.get("unread"):
            yield self._problem(UNPROVEN, f"{title}: {result['unread']}")
            return
        access = result.get("access") or {}
        plan = access.get("plan") or {}
        denied = [name for name, state in (access.get("capabilities") or {}).items() if state != "allowed"]
        if access:
            rights = f"all rights but {', '.join(denied)}" if denied else "all rights"
            yield f"- {title}: {rights}; plan {plan.get('name')} {plan.get('tier')}"
        else:
            count = len(result.get(noun) or [])
            plural = "data connectors" if noun == "results" else noun
            yield f"- {title}: {count} {plural.removesuffix('s') if count == 1 else plural}"
        for problem in result.get("problems") or []:
            is_plan = problem.get("id") == PLAN_OFF
            consent = ". With servicenow_defender_accept_costs: true, onboard does so" if is_plan else ""
            yield self._problem(WARNING if is_plan else str(problem.get("severity")), _problem_text(problem) + consent)
        for entry in result.get("unproven") or []:
            yield self._problem(UNPROVEN, f"{entry.get('object')}: {entry.get('reason')}")

    def _trusts(self) -> Iterator[str]:
        tenant = next((_tenant_of(known) for known in self.found.tenants.values()), Tenant())
        by_text: dict[tuple[str, str], list[str]] = {}
        for host, known in self.found.instances.items():
            for trust in () if FAILURE in known else trusts(host, known, tenant):
                by_text.setdefault(trust, []).append(host)
        yield "trusts:" if by_text else f"trusts: {UNPROVEN}, as no instance was read"
        for (direction, text), hosts in sorted(by_text.items()):
            yield f"- {direction.replace('{}', named(hosts))}: {text}"
        if by_text and not any("Configuration Compliance" in direction for direction, _text in by_text):
            yield "- Configuration Compliance: not checked, as no variable names its application"

    def _next(self) -> str:
        where = "".join(f" -i {_shown(source)}" for source in self.found.sources)
        group = str(self.found.instances_group)
        if not self.found.instances and not self.found.groups.get(group) and not self._resembling(group):
            return f"{PLAYBOOK}init"
        if self.errors:
            return f"correct the {'error' if self.errors == 1 else 'errors'} above, then {PLAYBOOK}doctor{where}"
        if not all(is_set_up(known) for known in self.found.instances.values()):
            return f"{PLAYBOOK}onboard{where} --check --diff"
        return f"{PLAYBOOK}drift{where}{'' if self.found.tenants else ' --tags snow'}"


def _read(known: Json) -> str:
    instance = (known.get(INFORMATION) or {}).get("instance") or {}
    release, caller = instance.get("release") or {}, instance.get("caller") or {}
    shown = " ".join(filter(None, (str(release.get("family") or "").capitalize(), str(release.get("patch") or ""))))
    account = caller.get("user_name") or f"an account that is {UNPROVEN}"
    return f"{shown or f'release {UNPROVEN}'}, read as {account} ({instance.get('grant_type') or 'unknown sign-in'})"


def _problems(known: Mapping[str, Json], severity: str) -> Iterator[tuple[str, str]]:
    """Yield host and text of each problem of the instances."""
    for host, variables in known.items():
        for result in (variables.get(INFORMATION), variables.get(COMPLIANCE)):
            for row in (result or {}).get("problems") or []:
                if row.get("severity") == severity:
                    yield host, _problem_text(row)


def _problem_text(row: Json) -> str:
    return ". ".join(str(row[key]).rstrip(".") for key in ("message", "remedy") if row.get(key))


def _grouped(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each text once with the names of its hosts."""
    by_text: dict[str, list[str]] = {}
    for host, text in rows:
        by_text.setdefault(text, []).append(host)
    yield from ((text, named(hosts)) for text, hosts in by_text.items())


def _tenant_of(known: Json) -> Tenant:
    names = ("doctor_connectors", "doctor_integrations", "msem_connection_result")
    return Tenant(*(found if isinstance(found := known.get(name), Mapping) else {} for name in names))


def _shown(source: str) -> str:
    """Return a source of the inventory relative to the current folder, if it is below it."""
    try:
        return str(Path(source).relative_to(os.getcwd()))
    except ValueError:
        return source
