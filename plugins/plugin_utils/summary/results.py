# SPDX-License-Identifier: GPL-3.0-or-later
"""What the registered results of one host add up to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils.engine.prediction import WOULD_FAIL
from .imports import import_of

Json = Mapping[str, Any]
WHOLE = "state"
# The fact with what the playbooks note as unproven, also of a host that is not in the inventory.
NOTED = "servicenow_defender_unproven"
DONE = frozenset({"ok", "changed"})
# Of an object that is to be removed, and is not: others use it, or something has to happen first.
NOT_REMOVED = frozenset({"kept", "waiting"})
# Results that the roles and playbooks of this collection register, in the order in which they run.
REGISTERED = (
    "snow_preflight_result",
    "snow_connection_result",
    "snow_connection_token",
    "snow_hardening_result",
    "mdc_configuration_compliance_application",
    "mdc_configuration_compliance_result",
    "mdc_configuration_compliance_rules_result",
    "snow_connection_clone",
    "mdc_configuration_compliance_finished",
    "mda_connection_result",
    "mda_connection_verified",
    "mda_protection_ip_ranges_result",
    "mda_protection_policies_result",
    "mda_protection_retiring",
    "mda_protection_session_result",
    "mdc_itsm_unproven",
    "mdc_itsm_access",
    "mdc_itsm_foundational_result",
    "mdc_itsm_plan_result",
    "mdc_itsm_result",
    "mdc_itsm_verified",
    "mdc_itsm_rules_result",
    "msem_connection_result",
    "adopt_result",
    "secret_rotation_left",
    "secret_rotation_secrets",
    "secret_rotation_connector",
    "secret_rotation_integration",
    "secret_rotation_data_connector",
    "mdc_tickets_exempted",
    "mdc_tickets_found",
    "mdc_tickets_known",
    "mdc_tickets_plan",
    "mdc_tickets_result",
    "mdc_tickets_assignments",
    "defender_alerts_found",
    "defender_alerts_incidents_found",
    "defender_alerts_plan",
    "defender_alerts_result",
    "defender_alerts_alerts_result",
    "defender_alerts_incidents_result",
    "defender_alerts_linked",
    "defender_alerts_noted",
    "respond_result",
    "activity_result",
    "offboarding_plan",
    "offboarding_connectors",
    "offboarding_connectors_kept",
    "offboarding_data_connectors",
    "offboarding_integrations_found",
    "offboarding_integrations_kept",
    "offboarding_rules",
    "offboarding_rules_kept",
    "offboarding_integrations",
    "offboarding_applications",
    "offboarding_result",
    "offboarding_left",
    NOTED,
)
# Of this result, the role judges the problems; what is not needed is none.
JUDGED_BY_ROLE = "mdc_itsm_access"
# Of these, warnings are shown as well: what a run left out, and why.
TOLD = frozenset({"defender_alerts_plan"})
# These compare nothing: that an instance answers, that an account is signed in, which applications there are.
COMPARES_NOTHING = frozenset({"snow_preflight_result", "snow_connection_token", "snow_connection_clone", NOTED})
TOKEN = "snow_connection_token"
NO_ROW = "it is signed in, but reads no row of its table: a role or access rules are missing, which drift names, or the table has no rows"
# Its problems are about the instance, also those that are warnings.
CLONE = "snow_connection_clone"
IGNORED = "snow_preflight_ignore"
# What no task writes: a platform sets it when a job has run.
NEVER_WRITTEN = frozenset({"last_run"})
INCOMPLETE = "there are more than the {} that were read, and all below counts these only; set activity_limit to a larger number, or 0 for all"
# Secrets that are not supplied yet, by the names that the summary shows. They stay unproven, and fail no run.
UNSUPPLIED = "servicenow_defender_unsupplied_secrets"
SECRET_ENDINGS = ("(password)", "(client_secret)", "(credentials)")


@dataclass
class HostResult:
    """What was found on one host: each list holds entries of results, in their order.

    Deviations are `corrected`, `pending` (a run without check mode writes them) or `left` (it does not). `values` holds, in the same
    form, the further fields of the objects that are pending, if the tasks ran with a diff. `unproven` holds the reason why an
    object is neither in sync nor drift, by its name; `unsupplied` are those names that fail no run.
    """

    name: str
    failure: str = ""
    unreachable: bool = False
    checked: bool = False
    compared: bool = False
    pending: list[Json] = field(default_factory=list)
    values: list[Json] = field(default_factory=list)
    left: list[Json] = field(default_factory=list)
    corrected: list[Json] = field(default_factory=list)
    unproven: dict[str, str] = field(default_factory=dict)
    unsupplied: frozenset[str] = frozenset()
    manual_steps: list[Json] = field(default_factory=list)
    problems: list[Json] = field(default_factory=list)
    tokens_verified: int = 0
    connectors: list[Json] = field(default_factory=list)
    integrations: list[Json] = field(default_factory=list)
    ending: list[Json] = field(default_factory=list)
    ending_is_unread: bool = False
    applications: list[Json] = field(default_factory=list)
    entra_applications: list[Json] = field(default_factory=list)
    actions: list[Json] = field(default_factory=list)
    activities: list[Json] | None = None
    # How many of them were read.
    activities_read: int = 0
    withheld: list[Json] = field(default_factory=list)
    kept: list[Json] = field(default_factory=list)
    imported: Json | None = None
    posture: Json | None = None
    writes_left: int = 0
    ticket_counts: Json = field(default_factory=dict)
    tickets: list[Json] = field(default_factory=list)
    tickets_left: list[Json] = field(default_factory=list)
    # Of an instance, what was found of its connector on the tenant, whose results have the details.
    connector: HostResult | None = None

    @property
    def unexpected(self) -> list[str]:
        """What is unproven and no secret that is known to be missing."""
        return [name for name in self.unproven if name not in self.unsupplied or not name.endswith(SECRET_ENDINGS)]


def host_result(name: str, variables: Json, *, check_mode: bool, failure: str = "") -> HostResult:
    """Return what the registered results among the `variables` of a host add up to."""
    found = HostResult(name, failure, unsupplied=frozenset(variables.get(UNSUPPLIED) or ()))
    ignored = variables.get(IGNORED) or []
    without_row: list[str] = []
    for key, result in ((name_of, each) for name_of in REGISTERED for each in single(variables.get(name_of))):
        if result.get("unreachable") or result.get("failed"):
            found.unreachable = found.unreachable or (not found.failure and bool(result.get("unreachable")))
            found.failure = found.failure or str(result.get("msg") or "unreachable")
        if key == CLONE:
            found.problems += result.get("problems") or []
            found.unproven.update(unproven_of(name, result, ignored))
        elif not result.get("skipped"):
            take(found, result if key != JUDGED_BY_ROLE else {**result, "problems": []}, check_mode)
            found.unproven.update(unproven_of(name, result, ignored))
            found.compared = found.compared or key not in COMPARES_NOTHING
            if key == TOKEN and result.get("row_read") is False and result.get("verified") is True:
                without_row.append(str(result.get("item") or ""))
            if key in TOLD:
                found.problems += [each for each in result.get("problems") or [] if each not in found.problems]
    if not found.compared:
        # Where access rules are compared, that of the table is among them.
        found.unproven.update({f"account {service}".strip(): NO_ROW for service in without_row})
    # The summary has what is unproven on lines of its own.
    found.problems = [each for each in found.problems if f"problem {each.get('id')}" not in found.unproven]
    return found


def predicted_failure(variables: Json) -> str:
    """Return why the first task of a host that check mode could not predict fails without it, "" if none does."""
    results = (each for key in REGISTERED for each in single(variables.get(key)))
    return next((str(each[WOULD_FAIL]) for each in results if each.get(WOULD_FAIL)), "")


def single(result: Any) -> Iterator[Json]:
    """Yield a result, or those of the items of a loop."""
    if isinstance(result, Mapping):
        items = result.get("results")
        looped = isinstance(items, list) and any(
            isinstance(each, Mapping) and "ansible_loop_var" in each for each in items
        )
        yield from items if looped and items else [result]


def take(found: HostResult, result: Json, check_mode: bool) -> None:
    nothing_read = result.get("failed") or result.get("unreachable") or result.keys() == {"unproven"}
    found.checked = found.checked or not nothing_read
    rows: list[Json] = [each for each in result.get("results") or [] if isinstance(each, Mapping)]
    if _is_about_users(rows):
        found.actions += rows
    else:
        _take_drift(found, result, rows, check_mode)
    found.manual_steps += result.get("manual_steps") or []
    # Warnings of the preflight are about the connection; those of other modules are in their own results.
    found.problems += [
        problem
        for problem in result.get("problems") or []
        if "instance" in result or "counts" in result or problem.get("severity") == "error"
    ]
    if "activities" in result:
        found.activities = result.get("summary") or []
        found.activities_read = len(result["activities"])
        if result.get("complete") is False:
            found.unproven["activities"] = INCOMPLETE.format(found.activities_read)
    found.ending_is_unread = found.ending_is_unread or ("ending" in result and result["ending"] is None)
    found.ending += [row for row in result.get("ending") or [] if row not in found.ending]
    found.tokens_verified += result.get("verified") is True
    found.connectors += [row for row in rows if "evidence" in row]
    found.integrations += [result["integration"]] if "days_left" in (result.get("integration") or {}) else []
    found.kept += [row for row in rows if row.get("status") in NOT_REMOVED or _is_over(row)]
    found.applications += [row for row in rows if "days_left" in row and "evidence" not in row]
    # Tickets that were made or changed; what was found of those that need one.
    for row in rows:
        if row.get("action") and "correlation_id" in row and row.get("status") == "changed":
            _add_ticket(found.tickets, row)
        found.tickets_left += [row] if "correlation_id" in row and row.get("status") == "refused" else []
    if isinstance(result.get("counts"), Mapping) and ("groups" in result["counts"] or result["counts"].get("unread")):
        found.ticket_counts = result["counts"]
    if isinstance(result.get("application"), Mapping):
        found.entra_applications.append(result["application"])
    found.imported = import_of(result) or found.imported
    if "posture" in result:
        found.posture = result["posture"]
        found.writes_left = int(result.get("writes_left") or 0)
        found.withheld = [
            row for row in rows
            if str(row.get("object")).startswith("setting ") and row.get("status") in ("withheld", "refused")
        ]  # fmt: skip


def _is_over(row: Json) -> bool:
    """Return whether a row is about an exemption that is listed further although it has ended."""
    return row.get("status") == "expired" and "recommendation" in row


def _add_ticket(tickets: list[Json], row: Json) -> None:
    """Add a ticket; one that a run writes twice is listed once, with what happened to it first and its last state."""
    for number, known in enumerate(tickets):
        if (known.get("type"), known["correlation_id"]) == (row.get("type"), row["correlation_id"]):
            tickets[number] = {**row, "action": known["action"]}
            return
    tickets.append(row)


def _is_about_users(rows: Iterable[Json]) -> bool:
    first: Json = next(iter(rows), {})
    return "user_principal_name" in first and "action" in first


def _take_drift(found: HostResult, result: Json, rows: list[Json], check_mode: bool) -> None:
    left = {row.get("object") for row in rows if not _is_written(row, result.get("manual_steps") or [])}
    writes = bool(result.get("changed", True)) and not result.get("failed")
    for entry in result.get("drift") or []:
        if not writes or entry.get("object") in left or entry.get("field") in NEVER_WRITTEN:
            found.left.append(entry)
        elif check_mode:
            found.pending.append(entry)
            found.values += _values(entry, result.get("diff"))
        else:
            found.corrected.append(entry)


def _values(entry: Json, diff: Any) -> Iterator[Json]:
    """Yield every field that differs in the diff of the object of a deviation: of a new object, drift has no more than its state."""
    if isinstance(diff, Mapping):
        name = str(entry.get("object"))
        before, after = ((diff.get(side) or {}).get(name) for side in ("before", "after"))
        if isinstance(after, Mapping):
            known = before if isinstance(before, Mapping) else {}
            for key, value in after.items():
                if known.get(key) != value and key != entry.get("field"):
                    yield {"object": name, "field": str(key), "before": known.get(key), "after": value}


def _is_written(row: Json, steps: Iterable[Json]) -> bool:
    """Return whether a task writes a row that deviates; that of a connector has the status of the tenant, and else a manual step."""
    if "evidence" not in row:
        return row.get("status", "ok") in DONE
    return not any(str(step.get("id")).endswith(f":{row.get('name')}") for step in steps)


def unproven_of(host: str, result: Json, ignored: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield name and reason of what a result leaves unproven of a host, without problems that the user ignores."""
    for entry in result.get("unproven") or []:
        name = str(entry.get("object"))
        if entry.get("host", host) == host and name.removeprefix("problem ") not in ignored:
            field_name = entry.get("field") or WHOLE
            shown = name if field_name == WHOLE else f"{name} ({field_name})"
            yield shown, " ".join(str(entry.get("reason") or "").split())
