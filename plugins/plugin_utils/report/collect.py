# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect the results of a run by host: nothing is counted twice, and results hidden by no_log are not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..connector_shares import KIND, shares
from . import posture, rows
from .objects import COLLECTION, OK, UNPROVEN, ObjectId, identify, reported_objects
from .values import Json, identity, mappings, plain, text, texts

UNREACHABLE = "unreachable"
MASK = "********"
# Modules that one host of a play runs for all hosts, also for those that no task runs on.
FOR_ALL_HOSTS = frozenset({f"{COLLECTION}mda_connectors"})
# Modules that a tenant runs for the instances that have not failed until then, and one that instances run after that.
CONNECTING = frozenset(f"{COLLECTION}{name}" for name in ("mda_connectors", "mdc_integration", "msem_connectors"))
AFTER_TENANT = f"{COLLECTION}snow_configuration_compliance"
# Facts can hold what a playbook notes as unproven, in the form of a result.
FACTS = frozenset({"set_fact", "ansible.builtin.set_fact"})
HIDDEN_MESSAGE = "The message is hidden because the task ran with no_log."
NO_MESSAGE = "The task returned no message."


@dataclass(frozen=True)
class TaskReport:
    """One task's result on one host. `outcome` is `ok`, `failed` or `unreachable`.

    `ignored` and `verdict` are failures that do not count for the host: one that the playbook ignores, and the task that
    fails the play because of drift. `action` is the module's full name; with `loop`, `result["results"]` are its items.
    """

    host: str
    action: str
    result: Mapping[str, Any]
    task: str = ""
    outcome: str = OK
    check_mode: bool = False
    loop: bool = False
    ignored: bool = False
    verdict: bool = False


@dataclass(frozen=True)
class Failure:
    """The reason why a host failed; `task` is the task's name."""

    status: str
    task: str
    message: str
    verdict: bool = False


@dataclass
class HostFindings:
    """The findings of one host; the keys of the dictionaries identify findings that are reported twice."""

    objects: dict[ObjectId, str] = field(default_factory=dict)
    drift: dict[str, Json] = field(default_factory=dict)
    manual_steps: dict[str, Json] = field(default_factory=dict)
    unproven: dict[str, Json] = field(default_factory=dict)
    problems: dict[str, Json] = field(default_factory=dict)
    tokens: dict[str, Json] = field(default_factory=dict)
    tickets: dict[str, Json] = field(default_factory=dict)
    settings: dict[str, Json] = field(default_factory=dict)
    exceptions: dict[str, Json] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    posture: Json | None = None
    modules: set[str] = field(default_factory=set)
    reported: bool = False

    def add(self, result: Mapping[str, Any], action: str, *, check_mode: bool, failed: bool) -> None:
        """Add one result: that of a module, or of one item of a loop."""
        self.reported = True
        if not failed:
            self.modules.add(action.removeprefix(COLLECTION))
        reported = dict(reported_objects(result, action))
        self.objects.update(reported)
        self._add_unproven(mappings(result.get("unproven")), reported, action)
        # A deviation found in check mode is open. Otherwise it is repaired if the module changed anything and does not report
        # another status of the object, such as that it needs elevation.
        repaired = not check_mode and not failed and result.get("changed") is True
        for entry in mappings(result.get("drift")):
            if isinstance(entry.get("object"), str):
                subject = identify(entry["object"], action)
                self._add_deviation(entry, subject, repaired and reported.get(subject, OK) == OK)
        for entry in mappings(result.get("manual_steps")):
            step = manual_step(entry)
            self.manual_steps[identity([step["id"], step["where"], step["values"]])] = step
        self.posture = posture.posture(result.get("posture")) or self.posture
        self._add_problems(mappings(result.get("problems")))
        self.tokens |= rows.tokens(result)
        self.tickets |= rows.tickets(result)
        self.settings |= rows.settings(result, check_mode=check_mode)
        self.exceptions |= rows.exceptions(result)

    def _add_unproven(self, entries: list[Json], reported: Mapping[ObjectId, str], action: str) -> None:
        """Add what is unproven; the last report of an object counts, so that an earlier one of it is dropped."""
        compared = {subject for subject, status in reported.items() if status != UNPROVEN}
        self.unproven = {
            key: entry for key, entry in self.unproven.items() if ObjectId(entry["kind"], entry["name"]) not in compared
        }
        for entry in entries:
            if isinstance(entry.get("object"), str):
                subject = identify(entry["object"], action)
                noted = {key: str(entry.get(key) or "") for key in ("object", "field", "reason")}
                self.objects.setdefault(subject, UNPROVEN)
                self.unproven[identity([noted["object"], noted["field"]])] = {**noted, **subject._asdict()}

    def note(self, entries: list[Json]) -> None:
        """Add what a playbook notes as unproven."""
        self.reported = True
        self._add_unproven(entries, {}, "")

    def note_problems(self, entries: list[Json]) -> None:
        """Add problems that a playbook notes."""
        self.reported = True
        self._add_problems(entries)

    def _add_problems(self, entries: list[Json]) -> None:
        for entry in entries:
            found = problem(entry)
            self.problems[identity([found["id"], found["message"]])] = found

    def _add_deviation(self, entry: Mapping[str, Any], subject: ObjectId, repaired: bool) -> None:
        explicit = entry.get("repaired")
        deviation = {
            "object": str(entry["object"]),
            "field": str(entry.get("field") or ""),
            "before": plain(entry.get("before")),
            "after": plain(entry.get("after")),
            "kind": subject.kind,
            "name": subject.name,
            "repaired": explicit if isinstance(explicit, bool) else repaired,
        }
        self.objects.setdefault(subject, OK)
        # The last report of a deviation counts: open in a check, repaired by a later task of the same run.
        self.drift[deviation_key(deviation)] = deviation

    def settle(self, counted: int) -> None:
        """Keep the last `counted` failures, which are those that no rescue block handled, without verdicts."""
        kept = self.failures[-counted:] if counted else []
        self.failures = [failure for failure in kept if not failure.verdict]


@dataclass
class Fleet:
    """All findings of one run. `seen` is true from the first result that belongs in a report.

    `inventory` names its hosts, `tenants` those of them that are Microsoft tenants, `instances` those tenants that are instances, too.
    """

    inventory: tuple[str, ...] = ()
    tenants: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    hosts: dict[str, HostFindings] = field(default_factory=dict)
    seen: bool = False
    hidden_results: int = 0
    modes: set[bool] = field(default_factory=set)
    _connecting: set[str] = field(default_factory=set)
    _after_tenant: set[str] = field(default_factory=set)

    def add(self, report: TaskReport) -> None:
        """Add the final result of one task on one host."""
        if report.outcome != OK and not report.ignored:
            failure = Failure(report.outcome, report.task, failure_message(report), report.verdict)
            self.findings(report.host).failures.append(failure)
        for entry in noted_in_facts(report, "unproven"):
            self.findings(str(entry.get("host") or report.host)).note([entry])
        for entry in noted_in_facts(report, "problems"):
            self.findings(str(entry.get("host") or report.host)).note_problems([entry])
        ours = report.action.startswith(COLLECTION)
        if not ours and not carries_drift(report):
            return
        self.seen = True
        self.modes.add(report.check_mode)
        self._connecting |= {report.host} if report.action in CONNECTING else set()
        self._after_tenant |= {report.host} if report.action == AFTER_TENANT else set()
        if is_hidden(report.result):
            self.hidden_results += 1
            return
        results = list(results_of(report))
        # A failed task of which no item says that it failed: then none counts as compared.
        all_failed = report.outcome != OK and not any(map(has_failed, results))
        for result in results:
            if is_hidden(result):
                self.hidden_results += 1
            elif not result.get("skipped"):
                failed = all_failed or has_failed(result)
                for host, share in self._shares(report, result):
                    self.findings(host).add(share, report.action, check_mode=report.check_mode, failed=failed)

    def _shares(self, report: TaskReport, result: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if report.action not in FOR_ALL_HOSTS:
            yield report.host, result
            return
        if report.host in self.tenants:
            # It took part, also if all is about instances.
            self.findings(report.host).reported = True
        for host, share in shares(result, dict.fromkeys([*self.hosts, *self.inventory])):
            yield host or report.host, share

    def findings(self, host: str) -> HostFindings:
        """Return the findings of `host`, initially empty."""
        return self.hosts.setdefault(host, HostFindings())

    def settle(self, counted: Mapping[str, int]) -> None:
        """End the run: `counted` is the number of failures per host that were neither ignored nor rescued."""
        for host, findings in self.hosts.items():
            findings.settle(counted.get(host, 0))
        failed = [host for host, findings in self.hosts.items() if findings.failures and not self._was_connected(host)]
        for tenant in sorted(self.tenants & self._connecting) if failed else ():
            reason = "not compared, as the work on the instance failed"
            shown = ", ".join(failed[:3]) + (f" and {len(failed) - 3} more" if len(failed) > 3 else "")
            self.findings(tenant).note([{"object": f"connection of {shown}", "reason": reason}])

    def _was_connected(self, host: str) -> bool:
        """Return whether the connection of a host was compared, or need not be."""
        is_connected = any(known.kind == KIND for known in self.findings(host).objects)
        return is_connected or host in self.tenants or host in self._after_tenant


def has_failed(result: Mapping[str, Any]) -> bool:
    """Return whether a result says that it failed, or that its host could not be reached."""
    return bool(result.get("failed") or result.get("unreachable"))


def is_hidden(result: Mapping[str, Any]) -> bool:
    """Return whether no_log hides `result` and the items of its loop."""
    return bool(result.get("_ansible_no_log")) or "censored" in result


def results_of(report: TaskReport) -> Iterator[Mapping[str, Any]]:
    """Yield the result, or for a loop those of its items: `results` of a task without a loop is a bulk module's own."""
    if report.loop and isinstance(report.result.get("results"), list):
        yield from mappings(report.result["results"])
    else:
        yield report.result


def carries_drift(report: TaskReport) -> bool:
    """Return whether a module of another collection returns drift in the form of this collection.

    `debug` prints the findings of others, which must not count twice.
    """
    if report.action in {"debug", "ansible.builtin.debug"}:
        return False
    return any(isinstance(result.get("drift"), list) for result in results_of(report))


def noted_in_facts(report: TaskReport, key: str) -> Iterator[Json]:
    """Yield what a playbook notes: the entries of `key` in facts that have the form of a result. An entry can name its host."""
    facts = report.result.get("ansible_facts") if report.action in FACTS else None
    for fact in facts.values() if isinstance(facts, Mapping) else ():
        if isinstance(fact, Mapping):
            yield from mappings(fact.get(key))


def failure_message(report: TaskReport) -> str:
    """Return the message of a failed task; for a loop, the messages of the items that failed."""
    if is_hidden(report.result):
        return HIDDEN_MESSAGE
    found: list[str] = []
    for result in results_of(report):
        if has_failed(result) or not report.loop:
            found.append(HIDDEN_MESSAGE if is_hidden(result) else text(plain(result.get("msg") or "")))
    if not any(found):
        found = [text(plain(report.result.get("msg") or ""))]
    return "\n".join(dict.fromkeys(message for message in found if message)) or NO_MESSAGE


def deviation_key(deviation: Mapping[str, Any]) -> str:
    """Return the identity of a deviation: object, field, and both values."""
    return identity([deviation.get(part) for part in ("object", "field", "before", "after")])


def manual_step(entry: Mapping[str, Any]) -> Json:
    """Return a manual step with its six keys; a value whose label is secret is masked."""
    secret = texts(entry.get("secret_values"))
    values = entry.get("values")
    shown = plain(values) if isinstance(values, Mapping) else {}
    return {
        "id": str(entry.get("id") or ""),
        "title": str(entry.get("title") or ""),
        "reason": str(entry.get("reason") or ""),
        "where": str(entry.get("where") or ""),
        "values": {label: MASK if label in secret else value for label, value in shown.items()},
        "secret_values": secret,
    }


def problem(entry: Mapping[str, Any]) -> Json:
    """Return a problem with its four keys."""
    return {key: str(entry.get(key) or "") for key in ("id", "severity", "message", "remedy")}
