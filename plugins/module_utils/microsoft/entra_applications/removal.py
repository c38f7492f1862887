# SPDX-License-Identifier: GPL-3.0-or-later
"""The removal of an application: its roles, its secrets and itself, unless others use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...engine.errors import InvalidInput
from ...engine.plan import DELETE, Plan, Write
from ...engine.result import ABSENT, PRESENT, WHOLE, Drift
from ...engine.snapshot import Row, Snapshot
from ..arm.scopes import Scope, path_key
from .directory_api import APPLICATIONS, MARK, PRINCIPALS, SECRETS
from .role_assignments_api import ASSIGNMENTS


@dataclass(frozen=True)
class Removal:
    """What is removed of the application `name`: all of it, or with `removable_secrets` among the `params` what others do not use."""

    name: str
    params: Mapping[str, Any]
    scopes: Sequence[Scope]
    now: datetime

    def add_to(self, plan: Plan, snapshot: Snapshot, row: Row | None) -> None:
        """Plan the removal of the application in `row`; raise `InvalidInput` for one that this collection did not create."""
        plan.row = row
        kept = self._kept(row) if row else ""
        plan.object = {"display_name": self.name, "client_id": str(row["id"]) if row else "", "kept": kept}
        if row and kept:
            self._remove_secrets(plan, row)
        elif row:
            self._remove_all(plan, snapshot, row)

    def _kept(self, row: Row) -> str:
        """Return why an application is kept, "" if it is deleted."""
        removable = self.params["removable_secrets"]
        if MARK not in row["tags"]:
            reason = (
                f"application {self.name} ({row['id']}) was not created by this collection: it lacks the tag {MARK}"
            )
            if removable is None:
                raise InvalidInput(
                    f"{reason}. Nothing was deleted; delete it in Entra > App registrations if it is no longer needed"
                )
            return reason
        others = [] if removable is None else list(self._others(row, removable))
        return f"others use it: it has {', '.join(dict.fromkeys(others))}" if others else ""

    def _others(self, row: Row, removable: Sequence[str]) -> Iterator[str]:
        """Yield the valid credentials of an application that are not `removable`."""
        for secret in row["secrets"]:
            if secret.name not in removable and secret.ends > self.now:
                yield f"the secret {secret.name or secret.key_id}"
        yield from ["a certificate"] if row["has_certificate"] else []

    def _remove_secrets(self, plan: Plan, row: Row) -> None:
        for secret in row["secrets"]:
            if secret.name in self.params["removable_secrets"]:
                # An object of its own: the application itself stays as it is.
                plan.drift.append(Drift(f"secret {secret.name} of {plan.label}", WHOLE, PRESENT, ABSENT))
                plan.before[f"secret {secret.name}"] = secret.key_id
                label = f"{plan.label}: secret {secret.key_id}"
                plan.writes.append(Write(DELETE, SECRETS, label, {"application": row["id"]}, secret.key_id))

    def _remove_all(self, plan: Plan, snapshot: Snapshot, row: Row) -> None:
        principals = [each["id"] for each in snapshot.all_rows(PRINCIPALS, "application")]
        for each in snapshot.all_rows(ASSIGNMENTS, "principal") if self.scopes else []:
            here = path_key(each["scope"]) in {path_key(scope.path) for scope in self.scopes}
            if here and each["principal"] in principals:
                plan.add_drift(f"role on {each['scope']}", PRESENT, ABSENT)
                plan.writes.append(Write(DELETE, ASSIGNMENTS, f"{plan.label}: role on {each['scope']}", row=each["id"]))
        plan.add_drift("state", PRESENT, ABSENT)
        plan.writes.append(Write(DELETE, APPLICATIONS, plan.label, row=row["id"], stage=1))
