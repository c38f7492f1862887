# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconciles resources: read everything, plan everything, apply, read again and verify."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from .apply import Applier, Unwritten
from .errors import EngineError, InvalidInput, Refused
from .plan import CHANGED, DELETE, FAILED, OK, Plan, Resource, SecretCheck, Write, ordered
from .preconditions import check_before_writing
from .result import Drift, Result
from .rollback import AccessGuard, RollbackWrites
from .secret_policy import NeverWrite, SecretPolicy
from .snapshot import Row, Snapshot
from .store import CLOSED, MATCH, MISMATCH, UNKNOWN, Account, Store, take_snapshot
from .summary import Outcome, not_kept, outcomes_of, summarize
from .unread import Tolerant, all_refused, hidden, refusal, unread_plan

# Messages about single objects that one message joins.
MAX_MESSAGES = 3
# What an outcome keeps of the first plan: what was decided, and done.
KEPT = ("status", "reason", "action")


@dataclass
class Reconciler:
    """One call: `resources` of one platform, brought to their desired state together.

    After the run, `objects` holds each resource's object as it is now, or would be. With a `guard`, the writes of each
    stage are a batch after which access is checked.
    """

    store: Store
    resources: Sequence[Resource]
    guard: AccessGuard | None = None
    objects: list[dict[str, Any]] = field(default_factory=list)
    _second_pass: list[Write] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._applier = Applier(self.store)

    @property
    def unwritten(self) -> dict[str, Unwritten]:
        """The refusals and failures that were noted, by label."""
        return self._applier.unwritten

    def run(self) -> Result:
        """Read, plan, check, write, read again.

        Raises `InvalidInput` before anything was written, `Refused` when the platform refuses, `PlatformFailure` when it
        fails, `EngineError` when a write did not take.
        """
        snapshot, plans = self._take_snapshot(SecretPolicy(self.store))
        writes = ordered(plans)
        settled = plans
        if writes:
            check_before_writing(self.store, snapshot, plans)
        if writes and not self.store.check_mode:
            self._applier.rows.expect_secrets(snapshot, plans)
            settled = self._write(writes, plans)
        for plan in plans:
            plan.warnings += plan.creation_warnings
        return self._result(plans, settled)

    def compare(self) -> Result:
        """Read, plan and return the drift, whether or not the account could correct it. What it may not read is unproven.

        Raises `Refused` if it may read nothing that a resource needs.
        """
        snapshot = take_snapshot(self.store, *(Tolerant(resource) for resource in self.resources))
        if all_refused(self.resources, snapshot):
            take_snapshot(self.store, *self.resources)  # raises the refusal with its remedy
        unread = [refusal(resource, snapshot) for resource in self.resources]
        readable = [resource for resource, reason in zip(self.resources, unread, strict=True) if not reason]
        found = iter(self._plan_those(snapshot, SecretPolicy(self.store), readable))
        plans = []
        for resource, reason in zip(self.resources, unread, strict=True):
            plan = unread_plan(resource, reason) if reason else next(found)
            may_exist = "" if reason else hidden(resource, plan, snapshot)
            for name, why in plan.unread.items():
                plan.add_unproven(why, name)
            plans.append(unread_plan(resource, may_exist) if may_exist else plan)
        return self._result(plans, plans)

    def _take_snapshot(self, secrets: Any) -> tuple[Snapshot, list[Plan]]:
        snapshot = take_snapshot(self.store, *self.resources)
        return snapshot, self._plan(snapshot, secrets)

    def _plan(self, snapshot: Snapshot, secrets: Any) -> list[Plan]:
        """Plan all resources; raise `InvalidInput` for a field that cannot be read."""
        plans = self._plan_those(snapshot, secrets, self.resources)
        for reason in (reason for plan in plans for reason in plan.unread.values()):
            raise InvalidInput(reason)
        return plans

    def _plan_those(self, snapshot: Snapshot, secrets: Any, resources: Sequence[Resource]) -> list[Plan]:
        # Also those of resources that are not planned: the others refer to them.
        snapshot.planned = {planned_id for resource in self.resources for planned_id in resource.planned_ids()}
        return [resource.plan(snapshot, secrets) for resource in resources]

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(self, writes: list[Write], plans: Sequence[Plan]) -> list[Plan]:
        writing = self._applier
        writing.has_turn = any(write.needs_turn for write in writes)
        with self.store.turn() if writing.has_turn else nullcontext():
            if self.guard:
                RollbackWrites(self.store, self.guard, writing).run(writes)
            else:
                writing.apply(writes)
            writing.settle(writes)
            return self._read_again(plans)

    def _read_again(self, plans: Sequence[Plan]) -> list[Plan]:
        """Verify what was written, and write what became due by it; return the plans that are left."""
        writing = self._applier
        _snapshot, settled = self._take_snapshot(NeverWrite())
        # Removing a direct grant removes the inherited ones with it; desired grants among them are written now. What another
        # run created first may deviate from the desired state.
        second_pass = [
            w for w in ordered(settled) if w.is_join_row or w.second_pass or w.label in writing.rows.created_elsewhere
        ]
        if second_pass:
            settled = self._apply_second_pass(second_pass, plans)
        writing.confirm({write.label for write in ordered(settled)})
        self._verify(settled, plans)
        for plan, final in zip(plans, settled, strict=True):
            self._verify_secrets(plan.secrets, final.row)
        return settled

    def _apply_second_pass(self, second_pass: Sequence[Write], plans: Sequence[Plan]) -> list[Plan]:
        unwritten = self._applier.unwritten
        self._share_outcomes(second_pass, plans)
        before = [dict(write.outcome or {}) for write in second_pass]
        self._applier.apply(second_pass)
        _snapshot, settled = self._take_snapshot(NeverWrite())
        due = {write.label for write in ordered(settled)}
        for write, outcome in zip(second_pass, before, strict=True):
            if write.label in unwritten and write.label not in due:
                # Two runs planned the same write, and the other one was first.
                del unwritten[write.label]
                if write.outcome is not None:
                    write.outcome.clear()
                    write.outcome.update(outcome)
            elif write.label not in unwritten:
                self._second_pass.append(write)
                if write.outcome is not None:
                    write.outcome.update(status=CHANGED)
        return settled

    @staticmethod
    def _share_outcomes(writes: Sequence[Write], plans: Sequence[Plan]) -> None:
        """Let writes of a later plan use the outcomes of the first one, which are returned."""
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
                # A delete that was accepted and had no effect ends the run, as it would alone.
                if kept and write.bulk_noun and write.action != DELETE:
                    self._share_outcomes([write], plans)
                    self._applier.note(write, Refused(self._still_there([write], plans) or self._not_kept(kept)))
                else:
                    left += [entry for entry in kept if entry not in left]
        if left:
            still_there = self._still_there(ordered(settled), plans)
            raise Refused(still_there) if still_there else EngineError(self._not_kept(left))

    def _still_there(self, due: Sequence[Write], plans: Sequence[Plan]) -> str:
        """Return which of the deletes that are still `due` were answered with "not found", "" for none."""
        words = {write.label: write.not_found for write in ordered(plans) if write.not_found}
        labels = [write.label for write in due if write.action == DELETE and write.label in words]
        return "; ".join(
            f"{self.store.name} refused to delete {label}, which is still there: {words[label]}"
            for label in dict.fromkeys(labels)
        )

    def _not_kept(self, left: Sequence[Drift]) -> str:
        messages = "; ".join(not_kept(entry) for entry in left)
        return f"{self.store.name} accepted the update but returned a different value: {messages}. {self.store.discarded_by}"

    def _is_about(self, write: Write, entry: Drift) -> bool:
        same = write.label == entry.object or write.label.startswith(f"{entry.object}: ")
        return same and write.label not in self.unwritten

    def _verify_secrets(self, checks: Sequence[SecretCheck], row: Row | None) -> None:
        for check in checks:
            if row and self.store.is_refused(check.probe, check.value, row):
                raise EngineError(
                    f"{self.store.name} stored the new secret of {check.label} without an error, but does not accept it. "
                    f"Check the account and the sign-in rules (locked, inactive, access policies), then run again"
                )

    # -- the result ---------------------------------------------------------------------------------------------------

    def _result(self, plans: Sequence[Plan], settled: Sequence[Plan]) -> Result:
        without = {*self.unwritten, *self._applier.rows.created_elsewhere}
        done = any(write.label not in without for plan in plans for write in plan.writes)
        result = Result(changed=done or bool(self._second_pass))
        outcomes: list[dict[str, Any]] = []
        summary: list[Outcome] = []
        self.objects = [final.object for final in settled]
        for plan, final in zip(plans, settled, strict=True):
            result.drift += plan.drift
            result.unproven += final.unproven
            known = {step.id for step in plan.manual_steps}
            result.manual_steps += [
                *plan.manual_steps,
                *(s for s in final.manual_steps if s.id not in known),
            ]
            if plan.before or plan.after:
                result.before[plan.label], result.after[plan.label] = plan.before, plan.after
            for message in (*plan.warnings, *final.warnings):
                self.store.warn(message if self.store.name in message else f"{self.store.name}: {message}")
            found = _outcomes(plan, final)
            outcomes += found
            statuses = [(entry["object"], entry["status"]) for entry in found]
            summary += outcomes_of(plan, statuses, without, check_mode=self.store.check_mode)
        result.output = {"results": outcomes}
        result.manual_steps += [refusal.step for refusal in self.unwritten.values() if refusal.step]
        result.msg = summarize(self.store.name, summary, len(result.manual_steps))
        self._report_refusals(plans, result)
        return result

    def _report_refusals(self, plans: Sequence[Plan], result: Result) -> None:
        """Warn of refusals; fail when everything was refused, or when an operation failed."""
        written = sum(len(plan.writes) for plan in plans)
        failed = [str(refusal) for refusal in self.unwritten.values() if refusal.status == FAILED]
        others = [str(refusal) for refusal in self.unwritten.values() if refusal.status != FAILED and not refusal.step]
        if failed or (others and len(self.unwritten) == written):
            raise EngineError(
                "; ".join(summarize_messages(failed, "failed") if failed else summarize_messages(others)),
                result.as_dict(with_diff=False),
            )
        for message in summarize_messages(others):
            self.store.warn(message)


def reconcile(store: Store, *resources: Resource, guard: AccessGuard | None = None, noun: str = "") -> Result:
    """Bring `resources` to their desired state in one plan; with a `guard`, in batches after each of which access is checked.

    With `noun`, the module manages a single object and returns it under that name instead of `results`.
    """
    reconciler = Reconciler(store, resources, guard)
    result = reconciler.run()
    if noun:
        result.output = {noun: reconciler.objects[0]}
    return result


def compare(store: Store, *resources: Resource) -> Result:
    """Return the drift of `resources`; an account that may only read is enough."""
    return Reconciler(store, resources).compare()


def summarize_messages(messages: Sequence[str], what: str = "were refused") -> list[str]:
    """Return `messages`, or of many the first one with the number of all."""
    if len(messages) <= MAX_MESSAGES:
        return list(messages)
    return [f"{len(messages)} {what}; see results. The first: {messages[0]}"]


def _outcomes(plan: Plan, final: Plan) -> list[dict[str, Any]]:
    """Return the outcomes of one resource: for a bulk one what the first plan decided, with the objects as they are now."""
    if plan.bulk:
        return [_settled(first, last) for first, last in zip(plan.outcomes, final.outcomes, strict=True)]
    return [{**final.object, "object": plan.label, "status": CHANGED if plan.writes else OK}]


def _settled(first: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    return {**last, **{key: first[key] for key in KEPT if key in first}}


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
    "take_snapshot",
]
