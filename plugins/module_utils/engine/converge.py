# SPDX-License-Identifier: GPL-3.0-or-later
"""The only code that writes: read everything, plan everything, write, read again and compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import BadDescription, EngineError, Refused, UnclearOutcome
from .field import Field
from .guarded import Guard, GuardedWrites
from .plan import CHANGED, CREATE, DELETE, FAILED, OK, UPDATE, Plan, Resource, SecretCheck, Write
from .result import Drift, Result
from .world import Answered, Pending, Read, Row, World, merged

# What a probe of a secret can find. CLOSED: as the row is now (inactive, locked), every secret would be refused.
MATCH, MISMATCH, UNKNOWN, CLOSED = "match", "mismatch", "unknown", "closed"
ALWAYS, ON_CREATE, ON_MISMATCH = "always", "on_create", "on_mismatch"


@dataclass(frozen=True)
class Account:
    """Who is calling: the name, and the roles where they may be read (else None)."""

    user_name: str
    roles: frozenset[str] | None


class Store(Protocol):
    """A platform, as far as the engine is concerned. `name` is what a person calls it."""

    name: str
    check_mode: bool
    create_attempts: int

    def read(self, reads: Sequence[Read]) -> list[Answered]:
        """Answer all `reads`, in order, in as few round trips as can be."""

    def create(self, write: Write, values: Mapping[str, str]) -> Row:
        """Create a row; raise `Refused`, or `UnclearOutcome` when it may exist now."""

    def update(self, write: Write, row_id: str, values: Mapping[str, str]) -> None:
        """Change a row; raise `Refused`."""

    def delete(self, write: Write, row_id: str) -> None:
        """Delete a row that may be gone already; raise `Refused`."""

    def perform(self, write: Write) -> None:
        """Carry out what is no row, and wait for its end; raise `Refused`."""

    def verdict(self, probe: str, value: str, row: Row) -> str:
        """Return whether the platform holds the secret `value`: match, mismatch, unknown or closed."""

    def account(self) -> Account | None:
        """Return who is calling, or None when that cannot be found out."""

    def wait(self, attempt: int) -> None:
        """Pause before a create is tried again."""

    def warn(self, message: str) -> None:
        """Show `message` to the user."""


@dataclass
class SecretJudge:
    """Decides by policy and probe whether a secret is to be written. At most one probe per secret and run."""

    store: Store

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return True when the platform does not hold `value`, as far as `policy` wants to know."""
        if policy == ALWAYS:
            return True
        verdict = self.store.verdict(wanted.secret, value, row) if policy == ON_MISMATCH and wanted.secret else UNKNOWN
        if verdict in (MATCH, MISMATCH):
            return verdict == MISMATCH
        if verdict == CLOSED and changing:
            # The row may be opened by this very plan: what could not be asked before must be right then.
            return True
        if self._unfinished(row):
            return True
        if policy == ON_MISMATCH and wanted.secret:
            self.store.warn(
                f"{self.store.name}: whether {label} holds the given {wanted.name} could not be found out; it was left "
                f"alone. update_secret or update_password: always writes it in every run"
            )
        return False

    def _unfinished(self, row: Row) -> bool:
        """Return True for a row that we created and whose secret we never came to write: an interrupted run.

        A new row has sys_mod_count 0 and every update raises it (ServiceNow facts, tickets 5.5).
        """
        if row.get("sys_mod_count") != "0":
            return False
        account = self.store.account()
        return account is not None and account.user_name == row.get("sys_created_by")


class SettledJudge:
    """Judges after the writes: what had to be written was."""

    def must_write(self, label: str, wanted: Field, value: str, policy: str, row: Row, *, changing: bool) -> bool:
        """Return False."""
        return False


@dataclass
class Convergence:
    """One call: `resources` of one platform, brought to their described state together.

    After the run, `described` holds each resource's object as it is now, or would be. With a `guard`, the writes of each
    stage are a group after which it is made sure that the caller still gets in.
    """

    store: Store
    resources: Sequence[Resource]
    guard: Guard | None = None
    refused: dict[str, Refused] = field(default_factory=dict)
    described: list[dict[str, Any]] = field(default_factory=list)
    _ids: dict[Pending, str] = field(default_factory=dict)

    def run(self) -> Result:
        """Read, plan, check, write, read again.

        Raises `BadDescription` before anything was written, `Refused` when the platform says no, `EngineError` when a
        write did not take.
        """
        world, plans = self._look(SecretJudge(self.store))
        writes = self._ordered(plans)
        settled = plans
        if writes:
            self._check_before_writing(world, plans)
        if writes and not self.store.check_mode:
            settled = self._write(writes, plans)
        return self._result(plans, settled)

    def _look(self, judge: Any) -> tuple[World, list[Plan]]:
        reads = merged(read for resource in self.resources for read in resource.reads())
        world = World.of(reads, self.store.read(reads))
        further = merged(read for resource in self.resources for read in further_reads(resource, world))
        if further:
            world.answers += zip(further, self.store.read(further), strict=True)
        world.promised = {promise for resource in self.resources for promise in resource.promises()}
        return world, [resource.plan(world, judge) for resource in self.resources]

    @staticmethod
    def _ordered(plans: Iterable[Plan]) -> list[Write]:
        return sorted((write for plan in plans for write in plan.writes), key=lambda write: write.stage)

    # -- before the first write ---------------------------------------------------------------------------------------

    def _check_before_writing(self, world: World, plans: Sequence[Plan]) -> None:
        for write in self._ordered(plans):
            if write.action == DELETE and not write.link and write.row in world.referred:
                raise BadDescription(
                    f"{self.store.name}: {write.label} is to be absent, but this call refers to it elsewhere. Nothing was written"
                )
        self._check_rights(plans)
        columns: dict[str, tuple[str, ...]] = {}
        for plan in plans:
            for collection, names in plan.columns.items():
                columns[collection] = tuple(dict.fromkeys(columns.get(collection, ()) + names))
        reads = [
            Read(name, "", (), ("sys_id", *wanted), optional=True, limit=1)
            for name, wanted in columns.items()
            if wanted
        ]
        if not reads:
            return
        for read, answer in zip(reads, self.store.read(reads), strict=True):
            missing = [name for name in read.columns if answer.rows and name not in answer.rows[0]]
            if missing:
                raise BadDescription(
                    f"{self.store.name}: {read.collection} has no field {', '.join(missing)} on this instance, or the account "
                    f"may not read it. Nothing was written; leave it out, or use a release that has it"
                )

    def _check_rights(self, plans: Sequence[Plan]) -> None:
        needs = [need for plan in plans for need in plan.needs]
        account = self.store.account() if needs else None
        if account is None or account.roles is None:
            return
        for need in needs:
            if not account.roles & {*need.roles, "admin"}:
                held = ", ".join(sorted(account.roles)) or "none"
                raise Refused(
                    f"{self.store.name}: {account.user_name} may not {need.what}. It takes one of the roles "
                    f"{', '.join(dict.fromkeys((*need.roles, 'admin')))}; the account has: {held}. Nothing was written"
                )

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(self, writes: list[Write], plans: Sequence[Plan]) -> list[Plan]:
        if self.guard:
            GuardedWrites(self.store, self.guard, self._apply_or_note, self.refused, self._ids).run(writes)
        else:
            for write in writes:
                self._apply_or_note(write)
        _world, settled = self._look(SettledJudge())
        # Removing a direct grant takes the inherited ones with it; what was described and fell with them is granted now.
        late = [write for write in self._ordered(settled) if write.link]
        if late:
            for write in late:
                self._apply_or_note(write)
            _world, settled = self._look(SettledJudge())
        self._verify(settled)
        for plan, final in zip(plans, settled, strict=True):
            self._verify_secrets(plan.secrets, final.row)
        return settled

    def _apply_or_note(self, write: Write) -> None:
        try:
            self._apply(write)
        except Refused as refusal:
            if write.outcome is None:
                raise
            refusal.step = refusal.step or write.step
            write.outcome.update(status=refusal.status, reason=str(refusal))
            self.refused[write.label] = refusal

    def _apply(self, write: Write) -> None:
        values = {name: self._resolved(value) for name, value in write.values.items()}
        if write.action == CREATE:
            row_id = self._create(write, values)
            if write.promise:
                self._ids[write.promise] = row_id
        elif write.action == UPDATE:
            self.store.update(write, self._resolved(write.row), values)
        elif write.action == DELETE:
            self.store.delete(write, self._resolved(write.row))
        else:
            self.store.perform(write)

    def _resolved(self, value: str | Pending) -> str:
        return self._ids[value] if isinstance(value, Pending) else value

    def _create(self, write: Write, values: Mapping[str, str]) -> str:
        """Create once. An answer that got lost is looked for by key before anything is sent again."""
        for attempt in range(max(1, self.store.create_attempts)):
            if attempt:
                self.store.wait(attempt - 1)
            try:
                return self.store.create(write, values)["sys_id"]
            except UnclearOutcome as unclear:
                found = self._find(write)
                if found:
                    return found
                failure = unclear
        raise failure

    def _find(self, write: Write) -> str:
        (column, value), *others = [(name, self._resolved(value)) for name, value in write.identity.items()]
        columns = ("sys_id", column, *(name for name, _value in others))
        read = Read(write.collection, column, (value,), columns, where=tuple(others))
        rows = World.of([read], self.store.read([read])).rows(write.collection, column, value, dict(others))
        if len(rows) > 1:
            ids = ", ".join(sorted(row["sys_id"] for row in rows))
            raise EngineError(
                f"{self.store.name}: creating {write.label} left {len(rows)} rows ({ids}); remove all but one"
            )
        return rows[0]["sys_id"] if rows else ""

    # -- after the last write -----------------------------------------------------------------------------------------

    def _verify(self, settled: Sequence[Plan]) -> None:
        left = [
            f"{entry.object}: {entry.field} is {entry.before!r}, not {entry.after!r}"
            for plan in settled
            for entry in plan.drift
            if any(self._is_about(write, entry) for write in plan.writes)
        ]
        if left:
            raise EngineError(
                f"{self.store.name} accepted the request but did not keep the value: {'; '.join(left)}. The release may not know "
                f"the field or choice, a business rule may have changed it, or the account may not write or read it"
            )

    def _is_about(self, write: Write, entry: Drift) -> bool:
        same = write.label == entry.object or write.label.startswith(f"{entry.object}: ")
        return same and write.label not in self.refused

    def _verify_secrets(self, checks: Sequence[SecretCheck], row: Row | None) -> None:
        for check in checks:
            if row and self.store.verdict(check.probe, check.value, row) == MISMATCH:
                raise EngineError(
                    f"{self.store.name} took the new secret of {check.label} without an error, but does not accept it. "
                    f"Look at the account and at the sign-in rules of the instance (locked, inactive, access policies), then run again"
                )

    # -- telling ------------------------------------------------------------------------------------------------------

    def _result(self, plans: Sequence[Plan], settled: Sequence[Plan]) -> Result:
        result = Result(changed=any(write.label not in self.refused for plan in plans for write in plan.writes))
        outcomes: list[dict[str, Any]] = []
        self.described = [final.object for final in settled]
        for plan, final in zip(plans, settled, strict=True):
            result.drift += plan.drift
            result.manual_steps += plan.manual_steps
            if plan.before or plan.after:
                result.before[plan.label], result.after[plan.label] = plan.before, plan.after
            for message in plan.warnings:
                self.store.warn(message)
            if plan.bulk:
                outcomes += [_settled(first, last) for first, last in zip(plan.outcomes, final.outcomes, strict=True)]
            else:
                status = CHANGED if plan.writes else OK
                outcomes.append({**final.object, "object": plan.label, "status": status})
        result.output = {"results": outcomes}
        result.manual_steps += [refusal.step for refusal in self.refused.values() if refusal.step]
        self._report_refusals(plans, result)
        return result

    def _report_refusals(self, plans: Sequence[Plan], result: Result) -> None:
        """Warn of what was refused; fail when nothing was left, or when an operation broke."""
        written = sum(len(plan.writes) for plan in plans)
        failed = [str(refusal) for refusal in self.refused.values() if refusal.status == FAILED]
        others = [str(refusal) for refusal in self.refused.values() if refusal.status != FAILED and not refusal.step]
        if failed or (others and len(self.refused) == written):
            raise EngineError("; ".join(failed or others), result.as_dict(with_diff=False))
        for message in others:
            self.store.warn(message)


def further_reads(resource: Any, world: World) -> list[Read]:
    """Return what a resource asks once it has seen the first answers; most ask nothing more."""
    ask: Any = getattr(resource, "further_reads", None)
    return list(ask(world)) if ask else []


def _settled(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Return one outcome of a bulk resource: what was decided at first, with the object as it is now."""
    return {**last, **{key: first[key] for key in ("status", "reason") if key in first}}
