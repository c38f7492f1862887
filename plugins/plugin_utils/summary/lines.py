# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a summary: counts first, then only what is not in sync, equal findings of several hosts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...module_utils.token_end import in_words
from .actions import action_lines
from .activities import activity_lines
from .ending_policies import ending_policies
from .imports import imported
from .missing_tenant import PRESENT, Missing
from .results import HostResult, Json
from .tickets import plural, ticket_lines

MAX_SHOWN = 5
MAX_HOSTS_NAMED = 3
MAX_MESSAGE = 500
MIN_DAYS_LEFT = 30
IN_SYNC, VERIFIED, CORRECTED, PENDING, DRIFT, UNPROVEN, FAILED, UNREACHABLE, NOT_CHECKED = (
    "in sync",
    "verified",
    "corrected",
    "would be corrected",
    "drift",
    "unproven",
    "failed",
    "unreachable",
    "not checked",
)
ORDER = (IN_SYNC, VERIFIED, CORRECTED, PENDING, DRIFT, UNPROVEN, FAILED, UNREACHABLE, NOT_CHECKED)
# What the connector of an instance makes of it, where the instance itself is better.
OF_CONNECTOR = (DRIFT, PENDING, UNPROVEN)


class Mode(NamedTuple):
    """Whether nothing was written, and whether the run never writes, as that of the playbook drift."""

    check: bool = False
    read_only: bool = False


def lines(instances: list[HostResult], tenants: list[HostResult], mode: Mode, missing: Missing = PRESENT) -> list[str]:
    """Return the summary of a run."""
    hosts = [*instances, *tenants]
    return [
        _counts(instances, tenants, mode, missing),
        *_grouped(hosts, FAILED, lambda host: _failure(host, FAILED, mode)),
        *_grouped(hosts, UNREACHABLE, lambda host: _failure(host, UNREACHABLE, mode)),
        *_grouped(hosts, PENDING, lambda host: [] if mode.read_only else _named(host.pending)),
        *_grouped(hosts, DRIFT, lambda host: _named([*host.pending, *host.left] if mode.read_only else host.left)),
        *_grouped(hosts, CORRECTED, lambda host: _named(host.corrected)),
        *_grouped(hosts, UNPROVEN, _unproven),
        *_grouped(hosts, "", _kept),
        *_grouped(
            hosts, "", lambda host: [_problem(each) for each in host.problems if not _is_said(each, host.failure)]
        ),
        *_grouped(hosts, "", lambda host: [each for row in host.connectors for each in _connector(row)]),
        *_grouped(hosts, "", lambda host: [each for row in host.applications for each in _expiry("", row)]),
        *(_token_ends(hosts) if mode.read_only else []),
        *_grouped(hosts, "", ending_policies),
        *_grouped(hosts, "", lambda host: [each for row in host.entra_applications[-1:] for each in _secret_end(row)]),
        *_grouped(hosts, "", lambda host: imported(host.imported)),
        *_grouped(hosts, "", _posture),
        *_withheld(hosts),
        *(line for host in hosts for line in action_lines(host, check_mode=mode.check)),
        *(line for host in hosts for line in ticket_lines(host, check_mode=mode.check)),
        *(line for host in hosts if host.activities is not None for line in activity_lines(host.activities)),
        *_manual_steps(hosts),
    ]


def status(host: HostResult, mode: Mode) -> str:
    """Return how a host ended, in one word or two; what is unproven never hides in what is in sync or corrected."""
    if host.failure:
        return UNREACHABLE if host.unreachable else FAILED
    if host.pending:
        return DRIFT if mode.read_only else PENDING
    if host.left and (mode.read_only or not host.corrected):
        return DRIFT
    if host.unproven:
        return UNPROVEN
    if host.corrected:
        return CORRECTED
    if host.manual_steps:
        return DRIFT
    if host.tokens_verified and not host.compared:
        return VERIFIED
    return IN_SYNC if host.checked else NOT_CHECKED


def _with_connector(host: HostResult, mode: Mode) -> str:
    """Return how an instance ended, together with its connector, which is on the tenant."""
    own = status(host, mode)
    if own in (FAILED, UNREACHABLE) or not host.connector:
        return own
    both = (own, status(host.connector, mode))
    return next((word for word in OF_CONNECTOR if word in both), own)


def _failure(host: HostResult, word: str, mode: Mode) -> list[str]:
    return [_shortened(host.failure)] if status(host, mode) == word else []


def _is_said(problem: Json, failure: str) -> bool:
    """Return whether the message of a failure has a problem already."""
    return bool(failure) and str(problem.get("message") or "") in failure


def _counts(instances: list[HostResult], tenants: list[HostResult], mode: Mode, missing: Missing) -> str:
    parts = []
    if instances:
        counts = Counter(_with_connector(host, mode) for host in instances)
        counted = [f"{counts[each]} {each}" for each in ORDER if counts[each]]
        by_hand = sum(bool(host.manual_steps) for host in instances)
        counted += [f"{by_hand} with manual steps"] if by_hand else []
        tokens = sum(host.tokens_verified for host in instances)
        counted += [f"{plural(tokens, 'token')} verified"] if tokens else []
        parts.append(f"{plural(len(instances), 'instance')}: {', '.join(counted)}")
    parts += [f"tenant: {_tenant_status(host, mode)}" for host in tenants]
    if missing.reason and not tenants:
        parts.append(f"tenant: {UNPROVEN if missing.unproven else NOT_CHECKED} ({missing.reason})")
    return "; ".join(parts) or "no host took part"


def _tenant_status(host: HostResult, mode: Mode) -> str:
    """Return how a tenant ended; reading activities compares nothing, so nothing is in sync."""
    word = status(host, mode)
    if host.activities is None or word != IN_SYNC:
        return word
    return "1 activity read" if host.activities_read == 1 else f"{host.activities_read} activities read"


def _grouped(hosts: Iterable[HostResult], word: str, found: Callable[[HostResult], Iterable[str]]) -> Iterator[str]:
    """Yield one line for each set of hosts that share findings."""
    by_finding: dict[str, list[str]] = {}
    for host in hosts:
        for finding in dict.fromkeys(found(host)):
            by_finding.setdefault(finding, []).append(host.name)
    by_hosts: dict[tuple[str, ...], list[str]] = {}
    for finding, names in by_finding.items():
        by_hosts.setdefault(tuple(names), []).append(finding)
    prefix = f"{word}: " if word else ""
    for hosts_named, findings in by_hosts.items():
        yield f"{prefix}{named(hosts_named)}: {', '.join(findings)}"


def named(names: Iterable[str]) -> str:
    """Return the names of some hosts, and how many more there are."""
    known = list(names)
    if len(known) <= MAX_HOSTS_NAMED:
        return ", ".join(known)
    return f"{', '.join(known[: MAX_HOSTS_NAMED - 1])} and {len(known) - MAX_HOSTS_NAMED + 1} more"


def _named(drift: Iterable[Json]) -> list[str]:
    return list(_kinds(f"{entry.get('object')} ({entry.get('field')})" for entry in drift))


def _unproven(host: HostResult) -> Iterator[str]:
    """Yield the objects of each reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in host.unproven.items():
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        yield f"{', '.join(_kinds(names))}{f' ({_shortened(reason)})' if reason else ''}"


def _kept(host: HostResult) -> Iterator[str]:
    """Yield the objects that were not removed, by their status and reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in host.kept:
        groups.setdefault((str(row["status"]), str(row.get("reason") or "")), []).append(str(row.get("object")))
    for (status, reason), names in groups.items():
        yield f"{status}: {', '.join(names)} ({_shortened(reason)})"


def _kinds(names: Iterable[str]) -> Iterator[str]:
    """Yield the names of objects; those of one kind are only counted where there are many."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(name.split(" ", 1)[0], []).append(name)
    for kind, those in kinds.items():
        # An object of which several fields differ is one.
        objects = {name.rsplit(" (", 1)[0] for name in those}
        yield from those if len(those) <= MAX_SHOWN else [f"{len(objects)} x {kind}"]


def _shortened(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}..."


def _problem(problem: Json) -> str:
    return (
        f"{problem.get('severity', 'warning')} {problem.get('id')}: {problem.get('message')}. {problem.get('remedy')}"
    )


def _connector(row: Json) -> Iterator[str]:
    """Yield the state of a connector of Defender for Cloud Apps if it needs attention."""
    if row.get("status") not in ("connected", "absent", "unknown"):
        message = f" ({row['message']})" if row.get("message") else ""
        yield f"connector {row.get('name')} is {row.get('status')}{message}"
    yield from _expiry("connector ", row)


def _expiry(noun: str, row: Json) -> Iterator[str]:
    days = row.get("days_left")
    if isinstance(days, int) and days < MIN_DAYS_LEFT:
        yield f"refresh token of {noun}{row.get('name')} {in_words(days, row.get('ended_days_ago'))}"


def _token_ends(hosts: Iterable[HostResult]) -> Iterator[str]:
    """Yield when the refresh tokens of connectors and integrations end, the first ones first."""
    ends: dict[str, dict[tuple[int, str], list[str]]] = {"connectors": {}, "integrations": {}}
    for host in hosts:
        for noun, rows in (("connectors", host.connectors), ("integrations", host.integrations)):
            for row in rows:
                if row.get("days_left") is not None:
                    ago = row.get("ended_days_ago")
                    end = (row["days_left"] if ago is None else -1 - ago, in_words(row["days_left"], ago, several=True))
                    names = ends[noun].setdefault(end, [])
                    names += [name for name in [str(row.get("name") or row.get("display_name"))] if name not in names]
    for noun, found in ends.items():
        shown = [f"{words} ({named(names)})" for (_days, words), names in sorted(found.items())]
        if len(shown) > MAX_SHOWN:
            shown = [*shown[:MAX_SHOWN], f"{plural(len(shown) - MAX_SHOWN, 'later end')}"]
        if shown:
            yield f"refresh tokens of {noun}: {', '.join(shown)}"


def _secret_end(row: Json) -> Iterator[str]:
    """Yield when the secret of an application in Entra ends, if it does so soon; one that has ended is drift."""
    days = row.get("days_left")
    if isinstance(days, int) and days < MIN_DAYS_LEFT:
        yield f"secret of the Entra application {row.get('display_name')} ends in {days} days"


def _posture(host: HostResult) -> Iterator[str]:
    """Yield the position against the hardening baseline, and what is left for switches and further runs."""
    if not host.posture:
        return
    score, counts = host.posture.get("secure_score") or {}, host.posture.get("settings") or {}
    if score.get("controls"):
        text = f"{score['compliant']}/{score['controls']} Secure Score settings, "
        text += f"{score['points']} of {score['possible_points']} points"
    else:
        judged = sum(counts.values()) - counts.get("not_applicable", 0)
        text = f"{counts.get('compliant', 0)}/{judged} settings as recommended"
    for status, count in sorted(Counter(str(row["status"]) for row in host.withheld).items(), reverse=True):
        text += f"; {count} {status}"
    if host.writes_left:
        text += f"; {host.writes_left} left for the next run"
    yield f"hardening {text}"


def _withheld(hosts: Iterable[HostResult]) -> Iterator[str]:
    """Yield the settings that are withheld, by name: those of the same reason and hosts in one line."""
    by_setting: dict[tuple[str, str], list[str]] = {}
    for host in hosts:
        for row in host.withheld:
            # What is left for the next run is only counted: it has no reason of its own.
            if row.get("withheld_by") != "max_writes":
                points = row.get("points") or 0
                name = str(row["object"]).removeprefix("setting ") + (f" ({plural(points, 'point')})" if points else "")
                # The summary is for users of playbooks, who set variables of the role.
                switch = f"; variable: snow_hardening_{row['switch']}" if row.get("switch") else ""
                by_setting.setdefault((name, f"{row.get('reason') or row['status']}{switch}"), []).append(host.name)
    lines_of: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (name, reason), names in by_setting.items():
        lines_of.setdefault((tuple(names), reason), []).append(name)
    if by_setting:
        yield f"{plural(len(by_setting), 'withheld setting')}:"
    for (hosts_named, reason), settings in lines_of.items():
        yield f"- {', '.join(settings)}: {reason} ({named(hosts_named)})"


def _manual_steps(hosts: Iterable[HostResult]) -> Iterator[str]:
    """Yield each manual step once, with the hosts that need it and each value on a line of its own."""
    steps: dict[Hashable, tuple[Json, list[str]]] = {}
    for host in hosts:
        for step in host.manual_steps:
            steps.setdefault(_identity(step), (step, []))[1].append(host.name)
    if steps:
        yield f"{plural(len(steps), 'manual step')}:"
    for step, names in steps.values():
        yield f"- {step.get('title')} ({named(dict.fromkeys(names))})"
        if step.get("where"):
            yield f"    Where: {step['where']}"
        yield from (f"    {label}: {value}" for label, value in (step.get("values") or {}).items())
        yield from (f"    {label}: (secret)" for label in step.get("secret_values") or [])


def _identity(step: Mapping[str, Any]) -> Hashable:
    values = tuple((label, str(value)) for label, value in (step.get("values") or {}).items())
    return step.get("title"), step.get("where"), values, tuple(step.get("secret_values") or [])
