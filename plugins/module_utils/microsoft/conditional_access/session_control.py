# SPDX-License-Identifier: GPL-3.0-or-later
"""The Conditional Access policy that routes sign-ins to ServiceNow through Defender for Cloud Apps.

It never has a grant control, so it can route a session or restrict it, but lets no one be locked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, CREATE, OK, UPDATE, Plan, Resource, SecretDecision, Write
from ...engine.result import ABSENT, PRESENT, UNKNOWN, Drift
from ...engine.snapshot import Query, Row, Snapshot
from ...option_names import named_option
from . import named_locations_api
from .directory_api import APPLICATIONS, ID, PRINCIPALS, USER
from .marker import marked, unmarked
from .session_control_api import ALL, COLLECTION, CONTROLS, EVERYONE, EVERYWHERE, INSIDE, MODES, OUTSIDE

BLOCK = "block"
ON_CREATE: dict[str, Any] = {
    "mode": "report_only",
    "control": "monitor",
    "include": [(USER, "all")],
    "locations": (EVERYWHERE, []),
}

SESSION_CONTROL_OPTIONS: dict[str, dict[str, Any]] = {
    "display_name": {"type": "str", "default": "ServiceNow session control"},
    "applications": {"type": "list", "elements": "str", "required": True},
    "include": {"type": "list", "elements": "str"},
    "exclude": {"type": "list", "elements": "str", "required": True},
    "control": {"type": "str", "choices": list(CONTROLS)},
    "mode": {"type": "str", "choices": list(MODES)},
    "location_condition": {"type": "str", "choices": [EVERYWHERE, OUTSIDE, INSIDE]},
}


class SessionControl(Resource):
    """The desired policy. With `tolerant`, a list that is refused leaves it unproven; else it ends the run."""

    def __init__(self, options: Mapping[str, Any], locations: list[str], *, tolerant: bool) -> None:
        self.options, self.locations, self.tolerant = options, locations, tolerant
        self.label = f"session_control {options['display_name']}"
        # Application ids and object ids to the names that results show.
        self._names: dict[str, str] = {}
        self._check_input()

    def _check_input(self) -> None:
        include, exclude = self.options["include"], self.options["exclude"]
        if not self.options["applications"]:
            raise InvalidInput("applications is empty: name the enterprise applications of ServiceNow")
        if any(key.casefold() == ALL.casefold() for key in self.options["applications"]):
            raise InvalidInput(
                "applications: 'All' would also be about the portals of administrators; name the enterprise applications of ServiceNow"
            )
        if include is not None and not include:
            raise InvalidInput("include is empty, so the policy would apply to no user; leave it out for all users")
        if not exclude or all(key in EVERYONE for key in exclude):
            raise InvalidInput(
                "exclude has no account or group: name a break-glass account or group, which the policy must not apply to"
            )
        if "all" in exclude:
            raise InvalidInput("exclude: 'all' would exclude every user")
        if bool(self.locations) != (self.options["location_condition"] in (OUTSIDE, INSIDE)):
            raise InvalidInput(
                f"named_locations requires {named_option('location_condition', 'mda_protection_session')} {OUTSIDE} or {INSIDE}, and these "
                f"require named_locations"
            )

    @property
    def principals(self) -> list[str]:
        """The users and groups to look up."""
        keys = [*(self.options["include"] or []), *self.options["exclude"]]
        return [key for key in dict.fromkeys(keys) if key not in EVERYONE]

    def reads(self) -> list[Query]:
        """Read every policy and enterprise application, and the users and groups of the task."""
        reads = [
            Query(COLLECTION, "name", (), ("id", "name"), optional=self.tolerant),
            Query(APPLICATIONS, "id", (), ("id", "app_id", "name", "enabled"), optional=self.tolerant),
            Query(PRINCIPALS, "id", (), ("id", "matches"), optional=self.tolerant),
        ]
        if self.locations:
            reads.append(Query(named_locations_api.COLLECTION, "name", (), ("id", "name"), optional=self.tolerant))
        return reads

    def plan(self, snapshot: Snapshot, secrets: SecretDecision) -> Plan:
        """Compare the policy."""
        plan = Plan(self.label, bulk=True)
        outcome: dict[str, Any] = {"object": self.label, "name": self.options["display_name"], "status": OK}
        plan.outcomes.append(outcome)
        refused = next(
            (words for words in (snapshot.refused(query.collection, query.column) for query in self.reads()) if words),
            "",
        )
        if refused:
            outcome.update(status=UNKNOWN, reason=refused)
            return plan
        wanted = self.wanted(snapshot, plan)
        row = self.existing(snapshot)
        if row is None:
            self._plan_create(plan, outcome, wanted)
        else:
            self._plan_update(plan, outcome, wanted, row, snapshot)
        return plan

    def wanted(self, snapshot: Snapshot, plan: Plan | None = None) -> dict[str, Any]:
        """Return the settings that are given, as the endpoint takes them; raise `InvalidInput` for what the tenant does not have."""
        wanted: dict[str, Any] = {
            name: self.options[name] for name in ("mode", "control") if self.options[name] is not None
        }
        wanted["applications"] = sorted(
            {self._application(key, snapshot, plan) for key in self.options["applications"]}
        )
        people = {key: self._principal(key, snapshot) for key in self.principals}
        sides = {side: self.options[side] for side in ("include", "exclude") if self.options[side] is not None}
        for side, keys in sides.items():
            wanted[side] = sorted(
                {(people[key]["kind"], people[key]["id"]) if key in people else (USER, key) for key in keys}
            )
        self._names |= {each["id"]: each["name"] for each in people.values()}
        self._check_exclusion(wanted, [people[key] for key in self.options["exclude"] if key in people])
        if self.options["location_condition"] is not None:
            wanted["locations"] = (self.options["location_condition"], sorted(self.locations))
        return wanted

    def _check_exclusion(self, wanted: Mapping[str, Any], excluded: list[Mapping[str, Any]]) -> None:
        if not any(each["effective"] for each in excluded):
            names = ", ".join(repr(each["name"]) for each in excluded)
            raise InvalidInput(
                f"{self.label}: exclude needs a break-glass account that can sign in; {names} is disabled, or a group without members"
            )
        include = wanted.get("include", ON_CREATE["include"])
        if set(include) <= set(wanted["exclude"]):
            raise InvalidInput(
                f"{self.label}: exclude has everything that include has, so the policy would apply to no user"
            )

    def _application(self, key: str, snapshot: Snapshot, plan: Plan | None) -> str:
        rows = snapshot.all_rows(APPLICATIONS, "id")
        column, value = ("app_id", key.lower()) if ID.fullmatch(key) else ("name", key)
        found = [row for row in rows if row[column] == value]
        if not found:
            close = get_close_matches(key, [row["name"] for row in rows], n=3)
            hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
            raise InvalidInput(
                f"the tenant has no enterprise application with the {'application id' if column == 'app_id' else 'name'} {key!r}{hint} "
                f"Nothing was written. Entra > Enterprise applications lists them; single sign-on to ServiceNow is set up there first"
            )
        if len(found) > 1:
            ids = ", ".join(sorted(row["app_id"] for row in found))
            raise InvalidInput(
                f"the tenant has {len(found)} enterprise applications named {key!r} ({ids}); use the application id"
            )
        if plan and not found[0]["enabled"]:
            plan.warnings.append(
                f"the enterprise application {found[0]['name']!r} is disabled: no one can sign in to it"
            )
        self._names[found[0]["app_id"]] = found[0]["name"]
        return str(found[0]["app_id"])

    @staticmethod
    def _principal(key: str, snapshot: Snapshot) -> Mapping[str, Any]:
        rows = snapshot.rows(PRINCIPALS, "id", key)
        matches: list[Mapping[str, Any]] = rows[0]["matches"] if rows else []
        if not matches:
            raise InvalidInput(
                f"the tenant has no user or group {key!r}. Write a user principal name, an object id, or the display name of a group"
            )
        if len(matches) > 1:
            raise InvalidInput(
                f"{len(matches)} groups are named {key!r} ({', '.join(sorted(each['id'] for each in matches))}); use the object id"
            )
        return matches[0]

    def existing(self, snapshot: Snapshot) -> Row | None:
        """Return the policy, None without one; raise `InvalidInput` for two, and for one of that name that another tool made."""
        name = self.options["display_name"]
        rows = snapshot.all_rows(COLLECTION, "name")
        found = [row for row in rows if unmarked(row["name"]) == name]
        if len(found) > 1:
            ids = ", ".join(sorted(row["id"] for row in found))
            raise InvalidInput(
                f"the tenant has {len(found)} Conditional Access policies named {marked(name)!r} ({ids}); remove all but one"
            )
        others = [row for row in rows if row["name"] == name]
        if others:
            raise InvalidInput(
                f"the tenant has a Conditional Access policy named {name!r} ({others[0]['id']}) that this collection did not create. Rename it to "
                f"{marked(name)!r} to have it managed, or set another display_name"
            )
        if found and BLOCK in found[0]["grants"]:
            raise InvalidInput(
                f"{self.label} has the grant control 'block', which locks everyone out of {', '.join(self.options['applications'])}. This collection "
                f"never writes one and does not change a policy with it: remove it under Entra > Conditional Access > Policies"
            )
        return found[0] if found else None

    def _plan_create(self, plan: Plan, outcome: dict[str, Any], wanted: Mapping[str, Any]) -> None:
        created = {**ON_CREATE, **wanted}
        shown = {name: self._named(value) for name, value in self._shown(created).items()}
        outcome.update(status=CHANGED, **shown)
        plan.drift.append(Drift(self.label, "state", ABSENT, PRESENT))
        plan.after[self.label] = shown
        values = {"name": self.options["display_name"], **created}
        identity = {"name": marked(self.options["display_name"])}
        plan.writes.append(Write(CREATE, COLLECTION, self.label, values, identity=identity, stage=1))

    def _plan_update(
        self, plan: Plan, outcome: dict[str, Any], wanted: Mapping[str, Any], row: Row, snapshot: Snapshot
    ) -> None:
        current = {name: row[name] for name in ("mode", "control", "applications", "include", "exclude")}
        current["locations"] = self._locations_of(row, snapshot)
        desired = self._shown(wanted)
        outcome |= {"id": row["id"], **{name: self._named(value) for name, value in {**current, **desired}.items()}}
        if row["narrowed_by"]:
            narrowing = ", ".join(row["narrowed_by"])
            plan.add_unproven(f"conditions that no option manages narrow it further: {narrowing}", "conditions")
        if row["grants"]:
            plan.warnings.append(
                f"{self.label} also has the grant controls {', '.join(row['grants'])}, which this module does not manage"
            )
        deviating = [name for name, value in desired.items() if current[name] != value]
        if not deviating:
            return
        outcome["status"] = CHANGED
        before = {name: self._named(current[name]) for name in deviating}
        after = {name: self._named(desired[name]) for name in deviating}
        plan.drift += [Drift(self.label, name, before[name], after[name]) for name in deviating]
        plan.before[self.label], plan.after[self.label] = before, after
        values = {name: wanted[name] for name in deviating}
        plan.writes.append(Write(UPDATE, COLLECTION, self.label, values, row["id"], stage=1))

    def _locations_of(self, row: Row, snapshot: Snapshot) -> str:
        names = {each["id"]: each["name"] for each in snapshot.all_rows(named_locations_api.COLLECTION, "name")}
        included = [names.get(each, each) for each in row["include_locations"]]
        excluded = sorted(names.get(each, each) for each in row["exclude_locations"])
        if included in ([], [ALL]):
            return _location_text(OUTSIDE if excluded else EVERYWHERE, excluded)
        return _location_text(INSIDE, sorted(included)) + (f" without {', '.join(excluded)}" if excluded else "")

    def _named(self, value: Any) -> Any:
        """Return a value with the names of applications, users and groups in place of their ids, as far as they are known."""
        return sorted(self._names.get(key, key) for key in value) if isinstance(value, list) else value

    @staticmethod
    def _shown(wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings as a row of a policy has them."""
        shown = {name: wanted[name] for name in ("mode", "control", "applications") if name in wanted}
        shown |= {side: sorted(key for _kind, key in wanted[side]) for side in ("include", "exclude") if side in wanted}
        return {**shown, "locations": _location_text(*wanted["locations"])} if "locations" in wanted else shown


def _location_text(condition: str, names: list[str]) -> str:
    return f"{condition} {', '.join(names)}".strip()
