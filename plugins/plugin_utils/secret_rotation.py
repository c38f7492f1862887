# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets of an instance are rotated, which connections are renewed, and what is left as it is, with the reason.

A new secret is stored as `<name>_new` next to the present one before it is sent anywhere, and takes its place once both sides have
it. So a run that was ended anywhere is continued by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from ..module_utils.engine.result import UNKNOWN, WHOLE
from ..module_utils.microsoft.defender_cloud.refresh_token import token_end
from ..module_utils.token_end import remaining
from .client_ids import recorded_client_id
from .connections import Connection
from .role_values import SNOW
from .role_variables import defaults_of
from .rotation_journal import DONE, STARTED, Journal

NEW = "_new"
KEY = "accepted_key"
# Without rotate_max_age_days: a run that is repeated does not rotate once more what the one before it has completed.
REPEATED_WITHIN = timedelta(days=1)
# Of these, templates of ansible-core 2.18 make text: an empty one where they are not known.
DAYS = ("days_left", "ended_days_ago")
# Statuses of a connector that has no refresh token in use.
NOT_IN_USE = ("absent", "disabled")
ROLES = {"mda": "mda_connection", "mdc": "mdc_itsm", "msem": "msem_connection"}
IMPORT = "mdc_configuration_compliance"
MICROSOFT = {"mda": "connector", "mdc": "integration", "msem": "data connector"}
# By service: what writes its connector without a manual step.
CONTRACTS = {
    "mda": "Record how a connector is edited (playbook learn_contract) and set mda_connection_contract; or run",
    "msem": "Record how a connector is edited and listed (playbook learn_contract) and set msem_connection_contract, with mda_portal_cookie "
    "and mda_portal_xsrf_token; or run",
}


NOT_SHOWN = "run onboard first, or give the account of this run the right to read it"


@dataclass(frozen=True)
class Situation:
    """What was read of an instance and of the tenant.

    `users` and `applications` (names with client ids) exist on the instance. `connection` describes the connector or integration by
    service: `status` (`absent` if there is none, "" if it could not be read), `days_left` until its refresh token ends and
    `ended_days_ago`, or the `rows` of the list of connectors that have them; for an integration the record `accepted` with
    `refresh_token_lifespan` and `refresh_token_expires_at`, which bound its end; whether it `has_token` whose end is to be known,
    `writable` without a manual step.
    """

    users: frozenset[str]
    applications: Mapping[str, str]
    connection: Mapping[str, Mapping[str, Any]]
    max_age_days: float | None
    renew_before_days: float
    allow_manual_steps: bool
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def connection_of(self, service: str) -> dict[str, Any]:
        """Return what was read of the connector or integration of a service; {} for nothing."""
        found = dict(self.connection.get(service) or {})
        found.update(_of_rows(found.pop("rows")) if "rows" in found else {})
        return {name: _number(value) if name in DAYS else value for name, value in found.items()}


class Rotation:
    """The plan for one instance; `stored` returns a stored secret, and `stored_at` when it was stored, None if that is not known."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        stored: Callable[[str], str],
        stored_at: Callable[[str], datetime | None],
        journal: Journal,
        situation: Situation,
    ) -> None:
        self.connections, self.stored, self.stored_at = connections, stored, stored_at
        self.journal, self.situation = journal, situation
        self.services: list[dict[str, Any]] = []
        self.unproven: list[dict[str, str]] = []
        self.manual_steps: list[dict[str, Any]] = []
        for service, connection in connections.items():
            self._decide(service, connection)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan: `services` to work on, `generate` and `in_use` (names of secrets), `finish` (names), `journal` by state, and what is left."""
        names = [name for entry in self.services for name in entry["secrets"]]
        missing = [name + NEW for name in names if not is_pending(name, self.stored)]
        key = [] if self.stored(KEY) or not self.services else [KEY]
        rotated = {entry["service"]: bool(entry["secrets"]) for entry in self.services}
        return {
            "services": self.services,
            "generate": missing + key,
            # What a run left that was ended just before it was complete.
            "in_use": [name for name in missing if self.stored(name)],
            "finish": names,
            "journal": {state: self.journal.noting(state, rotated, self.situation.now) for state in (STARTED, DONE)},
            "unproven": self.unproven,
            "manual_steps": self.manual_steps,
        }

    def _decide(self, service: str, connection: Connection) -> None:
        secrets = own_secrets(connection)
        self._name_given(connection, secrets)
        names = [connection.secret_name(option) for option in secrets]
        resumed = self.journal.is_unfinished(service) or any(is_pending(name, self.stored) for name in names)
        found = self.situation.connection_of(service)
        left = {**found, **_of_integration(found)}
        days_left, ended = left.get("days_left"), left.get("ended_days_ago") is not None
        renews = ended or (days_left is not None and days_left < self.situation.renew_before_days)
        rotates = bool(secrets) and (resumed or self._is_due(service, names))
        if not (rotates or renews or resumed):
            self._note_unknown_end(service, found)
            return
        reason = self._obstacle(service, connection, names if rotates else [])
        if reason:
            self._leave(service, reason)
        elif not (found.get("writable") or self.situation.allow_manual_steps):
            self._hand_over(service, connection)
        else:
            self.services.append(
                {
                    "service": service,
                    "application": connection.value("application_name")
                    if "client_secret" in connection.secrets
                    else "",
                    "secrets": names if rotates else [],
                    # What was accepted last does not show whether tokens were revoked since then.
                    "write_again": resumed or not rotates,
                }
            )

    def _is_due(self, service: str, names: list[str]) -> bool:
        rotated, max_age = self._past(self.journal.rotated_at(service)), self.situation.max_age_days
        if max_age is None:
            return rotated is None or self.situation.now - rotated >= REPEATED_WITHIN
        times = [rotated] if rotated else [self._past(self.stored_at(name)) for name in names]
        return any(time is None or self.situation.now - time >= timedelta(days=max_age) for time in times)

    def _past(self, time: datetime | None) -> datetime | None:
        """Return a time, None for one that a clock which was wrong has left: what is dated years ahead would never be due."""
        return None if time is None or time - self.situation.now > REPEATED_WITHIN else time

    def _note_unknown_end(self, service: str, found: Mapping[str, Any]) -> None:
        """Note that nothing shows whether a connector is to be renewed, unless an earlier run did that just now."""
        status, renewed = found.get("status"), self._past(self.journal.changed_at(service))
        just_now = renewed is not None and self.situation.now - renewed < REPEATED_WITHIN
        if not found.get("has_token") or found.get("days_left") is not None or status in NOT_IN_USE or just_now:
            return
        why = "Cloud Apps does not show when it was connected last" if status else "its connector could not be read"
        reason = f"whether it is to be renewed is not known, as {why}. To renew it in any case, run rotate with rotate_max_age_days: 0"
        self.unproven.append({"object": f"refresh token {service}", "field": WHOLE, "reason": reason})

    def _obstacle(self, service: str, connection: Connection, names: list[str]) -> str:
        """Return why nothing can be written for a service, "" if all can."""
        application, user = connection.value("application_name"), connection.value("user_name")
        found = self.situation.connection_of(service)
        if "client_secret" in connection.secrets and application not in self.situation.applications:
            return f"the instance shows no application {application} with account {user}; {NOT_SHOWN}"
        if user not in self.situation.users:
            return f"the instance shows no account {user}; {NOT_SHOWN}"
        own = recorded_client_id(self.stored, service, self.journal.address)
        if own and self.situation.applications.get(application) not in (None, "", own):
            return f"the application {application} has another client id than its {MICROSOFT[service]}, as that of a clone has; run onboard first"
        lost = [name for name in names if not self.stored(name) and not self.stored(name + NEW)]
        if lost:
            return (
                f"{' and '.join(lost)} is not stored; restore it, or run onboard with servicenow_defender_rotate: true"
            )
        if not found.get("status"):
            return f"its {MICROSOFT[service]} could not be read, so whether it can be written is not known"
        if found["status"] == "absent":
            return f"it has no {MICROSOFT[service]} yet; run onboard first"
        return ""

    def _leave(self, service: str, reason: str) -> None:
        self.unproven.append({"object": f"secrets {service}", "field": WHOLE, "reason": f"left as they are: {reason}"})

    def _name_given(self, connection: Connection, own: list[str]) -> None:
        """Note the secrets that variables set: neither their age is known, nor may they be replaced here."""
        for option in [each for each in connection.secrets if each not in own]:
            role = ROLES[connection.service]
            variable = f"{role if connection.is_default(option) else SNOW}_{option}"
            self._leave_given(
                f"secret {connection.secret_name(option)}", variable, "Replace it there, then run onboard"
            )
        if connection.service == "mdc" and connection.values.optional(f"{IMPORT}_client_secret"):
            application = connection.values.optional(f"{IMPORT}_client_id") or "of the import"
            remedy = f"Request one in Entra for the application {application}, set it there, then run onboard with {IMPORT}_update_secret: always"
            self._leave_given("secret of the import into Configuration Compliance", f"{IMPORT}_client_secret", remedy)

    def _leave_given(self, label: str, variable: str, remedy: str) -> None:
        reason = f"left as it is: the variable {variable} sets it. {remedy}"
        self.unproven.append({"object": label, "field": WHOLE, "reason": reason})

    def _hand_over(self, service: str, connection: Connection) -> None:
        self.manual_steps.append(
            {
                "id": f"rotate:{service}",
                "title": f"Rotate the secrets of {connection.value('application_name')}",
                "reason": "No API can enter them in the connector. The instance was left as it is, as its new secrets would end the connection",
                "where": f"{CONTRACTS.get(service, 'Run')} rotate with secret_rotation_allow_manual_steps: true, and enter the new "
                "secrets in the portal at once",
                "values": {"Application": connection.value("application_name"), "User": connection.value("user_name")},
            }
        )


def _of_integration(found: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the days until the refresh token of an integration ends, from what bounds its end; {} of anything else."""
    if "accepted" not in found:
        return {}
    lifespan, end = int(found.get("refresh_token_lifespan") or 0), str(found.get("refresh_token_expires_at") or "")
    return remaining(token_end(str(found["accepted"] or ""), lifespan, end))


def own_secrets(connection: Connection) -> list[str]:
    """Return the options whose secrets the collection keeps; those that a variable sets are the user's."""
    role = ROLES[connection.service]
    return [
        option
        for option in connection.secrets
        if connection.is_default(option)
        and connection.values.variables.get(f"{role}_{option}", _default(role, option)) == _default(role, option)
    ]


def _of_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the rows of a connector say of it; one with a message is in the list, and is connecting: an ended run may not have confirmed it."""
    shown = [row for row in rows if row.get("status") != UNKNOWN] or [row for row in rows if row.get("message")]
    days = {name: rows[0].get(name) if rows else None for name in DAYS}
    return {"status": shown[0].get("status", "") if shown else "", **days}


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _default(role: str, option: str) -> Any:
    return defaults_of(role).get(f"{role}_{option}")


def is_pending(name: str, stored: Callable[[str], str]) -> bool:
    """Return whether a new secret is stored that has not taken the place of the present one."""
    return bool(stored(name + NEW)) and stored(name + NEW) != stored(name)


def rotated_options(
    connections: Mapping[str, Connection], names: list[str], new: Callable[[str], str]
) -> dict[str, Any]:
    """Return the options of snow_instance that write the new secrets `names`, and by service the credentials of both sides."""
    users: list[dict[str, Any]] = []
    applications: list[dict[str, Any]] = []
    credentials: dict[str, dict[str, str]] = {}
    for service, connection in connections.items():
        values = {option: connection.secret_name(option) for option in connection.secrets}
        secrets = {o: new(name) if name in names else connection.value(o) for o, name in values.items()}
        credentials[service] = secrets
        if values.get("password") in names:
            users.append(
                {
                    "user_name": connection.value("user_name"),
                    "password": secrets["password"],
                    "update_password": "always",
                }
            )
        if values.get("client_secret") in names:
            application = {"name": connection.value("application_name"), "client_secret": secrets["client_secret"]}
            applications.append({**application, "update_secret": "always"})
    return {"instance": {"users": users, "oauth_applications": applications}, "credentials": credentials}
