# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one line that a playbook prints of each instance at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

DOCUMENTATION = r"""
name: closing_line
short_description: Say in one line what is true of an instance now
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Turns the registered results of this collection's modules into one line for people.
  - Results that were skipped or never registered are passed over.
positional: _input
options:
  _input:
    description:
      - Registered results of C(snow_instance_info), C(snow_instance), C(snow_oauth_check) and other modules of this collection.
    type: list
    elements: dict
    required: true
  check_mode:
    description: Whether nothing was corrected, so that every deviation is still open.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what is true now
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }}: {{ [preflight, state] | secops.servicenow_defender.closing_line(check_mode=ansible_check_mode) }}"
"""

RETURN = r"""
_value:
  description: The line, without the name of the instance.
  type: str
  sample: "Zurich patch2; as described; token works (3599 s)"
"""

MAX_SHOWN = 5
DONE = frozenset({"ok", "changed"})


def closing_line(results: list[Any], check_mode: bool = False) -> str:
    """Return what `results` (registered results, some possibly skipped) say, joined by semicolons.

    With `check_mode` nothing was corrected, so every deviation is still open.
    """
    known = [result for result in results if isinstance(result, Mapping) and not result.get("skipped")]
    # What several tasks brought to its described state is one statement, where the first of them stands.
    states = [result for result in known if _has_state(result)]
    together = _share(states, settings=False)
    parts: list[str] = []
    for result in known:
        # Told apart by identity: to compare or copy what a task registered costs more than all else here.
        is_first = bool(states) and result is states[0]
        parts += _parts(result, together if is_first else None, check_mode)
    return "; ".join(parts) or "nothing was looked at"


def _has_state(result: Mapping[str, Any]) -> bool:
    """Return whether a result tells of more than hardening settings, which come last in it, or users."""
    if "drift" not in result or _is_about_users(result):
        return False
    outcomes = result.get("results") or []
    return "posture" not in result or (len(outcomes) > 0 and not _is_setting(outcomes[0]))


def _is_setting(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("object")).startswith("setting ")


def _share(results: list[Mapping[str, Any]], *, settings: bool) -> dict[str, list[Any]]:
    """Return what `results` tell of hardening settings, or of everything else."""
    return {
        key: [entry for result in results for entry in result.get(key) or [] if _is_setting(entry) == settings]
        for key in ("drift", "results")
    }


def _parts(result: Mapping[str, Any], state: Mapping[str, Any] | None, check_mode: bool) -> Iterator[str]:
    """Return what `result` says; `state` is to be told with it."""
    if "instance" in result:
        yield _release(result["instance"])
        problems = result.get("problems") or []
        if problems:
            yield _counted(len(problems), "problem") + ": " + ", ".join(str(problem.get("id")) for problem in problems)
    if state is not None:
        yield from _state(state, check_mode)
    if "posture" in result:
        yield from _posture(result, check_mode)
    elif _is_about_users(result):
        yield from _actions(result["results"], check_mode)
    if "evidence" in result:
        yield _connector(result)
    steps = result.get("manual_steps") or []
    if steps:
        shown = " / ".join(map(_step, steps[:MAX_SHOWN]))
        yield _counted(len(steps), "manual step") + f" open: {shown}" + (" / ..." if steps[MAX_SHOWN:] else "")
    if "verified" in result:
        yield f"token works ({result.get('expires_in')} s)" if result["verified"] else "token refused"


def _is_about_users(result: Mapping[str, Any]) -> bool:
    first: Mapping[str, Any] = next(iter(result.get("results") or []), {})
    return "user_principal_name" in first and "action" in first


def _actions(results: list[Any], check_mode: bool) -> Iterator[str]:
    """Return to whom what was done, or would be, and who was left alone: everybody by name."""
    words = {"changed": "would be done to" if check_mode else "done to", "ok": "was so already of"}
    groups: dict[str, list[str]] = {}
    for outcome in results:
        status = str(outcome.get("status"))
        name = str(outcome.get("user_principal_name") or outcome.get("id"))
        groups.setdefault(f"{outcome.get('action')} {words.get(status, f'not done, {status}:')}", []).append(name)
    for kind, names in groups.items():
        yield f"{kind} {', '.join(names)}"


def _posture(result: Mapping[str, Any], check_mode: bool) -> Iterator[str]:
    """Return where an instance stands against its hardening baseline, and what of it is open."""
    posture = result["posture"]
    score, counts = posture.get("secure_score") or {}, posture.get("settings") or {}
    if score.get("controls"):
        told = f"{score['compliant']}/{score['controls']} Secure Score settings, "
        yield f"posture {told}{score['points']} of {score['possible_points']} points"
    else:
        judged = sum(counts.values()) - counts.get("not_applicable", 0)
        yield f"posture {counts.get('compliant', 0)}/{judged} settings as recommended"
    settings = _share([result], settings=True)
    if settings["drift"]:
        yield from (part for part in _state(settings, check_mode) if part != "now as described")
        statuses = [outcome.get("status") for outcome in settings["results"]]
        yield from (f"{statuses.count(each)} {each}" for each in ("withheld", "refused") if each in statuses)
    if result.get("writes_left"):
        yield f"{_counted(result['writes_left'], 'setting')} left for the next run"


def _connector(result: Mapping[str, Any]) -> str:
    """Return how a connector of Defender for Cloud Apps stands, and until when."""
    status, days = result.get("status"), result.get("days_left")
    parts = [f"connector {status}{': ' + result['message'] if result.get('message') and status != 'connected' else ''}"]
    if days is not None and status == "connected":
        parts.append(f"refresh token ends in {days} days")
    if isinstance(result.get("events"), int):
        parts.append(f"{result.get('accounts')} accounts, {_counted(result['events'], 'event')}")
    return ", ".join(parts)


def _step(step: Mapping[str, Any]) -> str:
    """Return what a person has to do, with every value to enter; of a secret only what it is called."""
    values = [f"{label} = {value}" for label, value in (step.get("values") or {}).items()]
    values += [f"{label} = (your secret)" for label in step.get("secret_values") or []]
    return f"{step.get('title')} ({step.get('where')}: {', '.join(values)})" if values else str(step.get("title"))


def _release(instance: Mapping[str, Any]) -> str:
    release = instance.get("release") or {}
    family = str(release.get("family") or "")
    return f"{family.capitalize()} {release.get('patch') or ''}".strip() if family else "release unknown"


def _state(result: Mapping[str, Any], check_mode: bool) -> Iterator[str]:
    results = result.get("results") or []
    left = {outcome.get("object") for outcome in results if outcome.get("status") not in DONE}
    drift = result["drift"]
    still_open = [entry for entry in drift if check_mode or entry.get("object") in left]
    corrected = [entry for entry in drift if entry not in still_open]
    if not still_open:
        yield "now as described" if corrected else "as described"
    if corrected:
        yield f"{_counted(len(corrected), 'deviation')} corrected: {_named(corrected)}"
    if still_open:
        yield f"{_counted(len(still_open), 'deviation')}: {_named(still_open)}"
    ends = [
        (outcome["days_left"], outcome.get("name")) for outcome in results if isinstance(outcome.get("days_left"), int)
    ]
    if ends:
        days, name = min(ends)
        yield f"first refresh token ends in {days} days ({name})"
    unknown = [outcome for outcome in results if outcome.get("status") == "unknown"]
    if unknown:
        yield f"unknown: {_kinds(str(outcome.get('object')) for outcome in unknown)}"


def _named(drift: list[Any]) -> str:
    return _kinds(f"{entry.get('object')} ({entry.get('field')})" for entry in drift)


def _kinds(names: Iterable[str]) -> str:
    """Return the names of objects, those of one kind only counted where there are many."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(name.split(" ", 1)[0], []).append(name)
    return ", ".join(
        ", ".join(those) if len(those) <= MAX_SHOWN else f"{len(those)} x {kind}" for kind, those in kinds.items()
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"closing_line": closing_line}
