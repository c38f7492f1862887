# SPDX-License-Identifier: GPL-3.0-or-later
"""The only code that writes: read everything, plan everything, write, read again and compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .apply import Applier
from .errors import EngineError, InvalidInput, Refused
from .plan import (
    CHANGED,
    DELETE,
    FAILED,
    OK,
    Plan,
    Resource,
    SecretCheck,
    Write,
)
from .result import Drift, Result
from .rollback import AccessGuard, RollbackWrites
from .secret_policy import NeverWrite, SecretPolicy
from .snapshot import Query, Row, Snapshot, merged
from .store import CLOSED, MATCH, MISMATCH, UNKNOWN, Account, Store

# Messages about single objects that one message holds at most.
MAX_MESSAGES = 3


@dataclass
class Reconciler:
    """One call: `resources` of one platform, brought to their described state together.

    After the run, `described` holds each resource's object as it is now, or would be. With a `guard`, the writes of each
    stage are a group after which it is made sure that the caller still gets in.
    """

    store: Store
    resources: Sequence[Resource]
    guard: AccessGuard | None = None
    described: list[dict[str, Any]] = field(default_factory=list)
    _second_pass: list[Write] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._writing = Applier(self.store)

    @property
    def refused(self) -> dict[str, Refused]:
        """What was refused and noted, by label."""
        return self._writing.refused

    def run(self) -> Result:
        """Read, plan, check, write, read again.

        Raises `InvalidInput` before anything was written, `Refused` when the platform says no, `EngineError` when a
        write did not take.
        """
        snapshot, plans = self._take_snapshot(SecretPolicy(self.store))
        writes = self._ordered(plans)
        settled = plans
        if writes:
            self._check_before_writing(snapshot, plans)
        if writes and not self.store.check_mode:
            settled = self._write(writes, plans)
        return self._result(plans, settled)

    def compare(self) -> Result:
        """Read, plan, and tell what deviates, whether or not the account could put it right."""
        _snapshot, plans = self._take_snapshot(SecretPolicy(self.store))
        return self._result(plans, plans)

    def _take_snapshot(self, secrets: Any) -> tuple[Snapshot, list[Plan]]:
        reads = merged(read for resource in self.resources for read in resource.reads())
        snapshot = Snapshot.of(reads, self.store.read(reads))
        further = merged(read for resource in self.resources for read in further_queries(resource, snapshot))
        if further:
            snapshot.answers += zip(further, self.store.read(further), strict=True)
        snapshot.planned = {planned_id for resource in self.resources for planned_id in resource.planned_ids()}
        return snapshot, [resource.plan(snapshot, secrets) for resource in self.resources]

    @staticmethod
    def _ordered(plans: Iterable[Plan]) -> list[Write]:
        return sorted((write for plan in plans for write in plan.writes), key=lambda write: write.stage)

    # -- before the first write ---------------------------------------------------------------------------------------

    def _check_before_writing(self, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
        for write in self._ordered(plans):
            if write.action == DELETE and not write.is_join_row and write.row in snapshot.referred:
                raise InvalidInput(
                    f"{self.store.name}: {write.label} is to be absent, but this call refers to it elsewhere. Nothing was written"
                )
        self._check_rights(plans)
        columns: dict[str, tuple[str, ...]] = {}
        for plan in plans:
            for collection, names in plan.columns.items():
                columns[collection] = tuple(dict.fromkeys(columns.get(collection, ()) + names))
        reads = [
            Query(name, "", (), ("sys_id", *wanted), optional=True, limit=1)
            for name, wanted in columns.items()
            if wanted
        ]
        if not reads:
            return
        for read, answer in zip(reads, self.store.read(reads), strict=True):
            missing = [name for name in read.columns if answer.rows and name not in answer.rows[0]]
            if missing:
                raise InvalidInput(
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
        writing = self._writing
        if self.guard:
            RollbackWrites(self.store, self.guard, writing.apply_one, writing.refused, writing.ids).run(writes)
        else:
            writing.apply(writes)
        _snapshot, settled = self._take_snapshot(NeverWrite())
        # Removing a direct grant takes the inherited ones with it; what was described and fell with them is granted now.
        # What another run created first may deviate from this description.
        second_pass = [
            w for w in self._ordered(settled) if w.is_join_row or w.second_pass or w.label in writing.created_elsewhere
        ]
        if second_pass:
            settled = self._apply_second_pass(second_pass, plans)
        self._verify(settled, plans)
        for plan, final in zip(plans, settled, strict=True):
            self._verify_secrets(plan.secrets, final.row)
        return settled

    def _apply_second_pass(self, second_pass: Sequence[Write], plans: Sequence[Plan]) -> list[Plan]:
        refused = self._writing.refused
        self._share_outcomes(second_pass, plans)
        before = [dict(write.outcome or {}) for write in second_pass]
        self._writing.apply(second_pass)
        _snapshot, settled = self._take_snapshot(NeverWrite())
        due = {write.label for write in self._ordered(settled)}
        for write, outcome in zip(second_pass, before, strict=True):
            if write.label in refused and write.label not in due:
                # Two runs saw the same, and the other one was first.
                del refused[write.label]
                if write.outcome is not None:
                    write.outcome.clear()
                    write.outcome.update(outcome)
            elif write.label not in refused:
                self._second_pass.append(write)
                if write.outcome is not None:
                    write.outcome.update(status=CHANGED)
        return settled

    @staticmethod
    def _share_outcomes(writes: Sequence[Write], plans: Sequence[Plan]) -> None:
        """Let writes of a later plan note what becomes of them in the outcomes of the first one, which are returned."""
        first = {outcome["object"]: outcome for plan in plans for outcome in plan.outcomes}
        for write in writes:
            if write.outcome is not None:
                write.outcome = first.get(write.outcome["object"], write.outcome)

    # -- after the last write -----------------------------------------------------------------------------------------

    def _verify(self, settled: Sequence[Plan], plans: Sequence[Plan]) -> None:
        left: list[Drift] = []
        for plan in settled:
            for write in plan.writes:
                kept = [entry for entry in plan.drift if self._is_about(write, entry)]
                if kept and write.bulk_noun:
                    self._share_outcomes([write], plans)
                    self._writing.note(write, Refused(self._not_kept(kept)))
                else:
                    left += [entry for entry in kept if entry not in left]
        if left:
            raise EngineError(self._not_kept(left))

    def _not_kept(self, left: Sequence[Drift]) -> str:
        messages = [f"{entry.object}: {entry.field} is {entry.before!r}, not {entry.after!r}" for entry in left]
        return (
            f"{self.store.name} accepted the request but did not keep the value: {'; '.join(messages)}. The release may not know "
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
        without = {*self.refused, *self._writing.created_elsewhere}
        done = any(write.label not in without for plan in plans for write in plan.writes)
        result = Result(changed=done or bool(self._second_pass))
        outcomes: list[dict[str, Any]] = []
        self.described = [final.object for final in settled]
        for plan, final in zip(plans, settled, strict=True):
            result.drift += plan.drift
            known = {step.id for step in plan.manual_steps}
            result.manual_steps += [
                *plan.manual_steps,
                *(s for s in final.manual_steps if s.id not in known),
            ]
            if plan.before or plan.after:
                result.before[plan.label], result.after[plan.label] = plan.before, plan.after
            for message in (*plan.warnings, *final.warnings):
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
            raise EngineError("; ".join(summarize_messages(failed or others)), result.as_dict(with_diff=False))
        for message in summarize_messages(others):
            self.store.warn(message)


def reconcile(store: Store, *resources: Resource, guard: AccessGuard | None = None, noun: str = "") -> Result:
    """Bring `resources` to their desired state in one plan; with a `guard`, in groups after each of which access is checked.

    With `noun`, the module manages a single object and returns it under that name instead of `results`.
    """
    reconciler = Reconciler(store, resources, guard)
    result = reconciler.run()
    if noun:
        result.output = {noun: reconciler.described[0]}
    return result


def compare(store: Store, *resources: Resource) -> Result:
    """Return the drift of `resources`; an account that may only read is enough."""
    return Reconciler(store, resources).compare()


def summarize_messages(messages: Sequence[str], what: str = "were refused") -> list[str]:
    """Return `messages`, or of many the first one with the number of all."""
    if len(messages) <= MAX_MESSAGES:
        return list(messages)
    return [f"{len(messages)} {what}; see results. The first: {messages[0]}"]


def further_queries(resource: Any, snapshot: Snapshot) -> list[Query]:
    """Return what a resource asks once it has seen the first answers; most ask nothing more."""
    ask: Any = getattr(resource, "further_queries", None)
    return list(ask(snapshot)) if ask else []


def _settled(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Return one outcome of a bulk resource: what was decided at first, with the object as it is now."""
    return {**last, **{key: first[key] for key in ("status", "reason") if key in first}}


__all__ = [
    "CLOSED",
    "MATCH",
    "MISMATCH",
    "UNKNOWN",
    "Account",
    "Reconciler",
    "SecretPolicy",
    "NeverWrite",
    "Store",
    "compare",
    "reconcile",
    "summarize_messages",
]
