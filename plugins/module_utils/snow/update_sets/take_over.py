# SPDX-License-Identifier: GPL-3.0-or-later
"""An update set of another instance instead of manual steps: for resources whose objects no REST call can write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...ansible_module import Params, TaskContext
from ...engine.errors import InvalidInput
from ...engine.plan import CHANGED, Plan, SecretDecision
from ...engine.result import ManualStep
from ...engine.snapshot import Query, Snapshot
from ...transport.polling import Wait
from ..activation import DEFAULT_WAIT
from ..options import Options
from .request import Request
from .retrieved import COMMITTED, UpdateSetQueries
from .source import SourceInstance
from .update_set import UpdateSet

# The options of a module whose resource can be taken over.
SOURCE_OPTIONS: Options = {
    "source": {"type": "str"},
    "source_options": {"type": "dict"},
    "update_set": {"type": "str"},
}
NOT_TAKEN_OVER = "Not taken over, because"


@dataclass
class TakeOver:
    """The update set that has the objects of a resource."""

    update_set: UpdateSet
    # The outcomes of the first plan, which are those of the result, with the status of an object that is not taken over.
    _planned: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)

    @classmethod
    def of(cls, params: Params, task: Params, context: TaskContext, title: str) -> TakeOver | None:
        """Return what `params` name as the source; None for none. `title` is the default name of the update set.

        `task` are all options of the task. Raises `InvalidInput` for a source that cannot be reached.
        """
        if not params.get("source"):
            return None
        update_set = params.get("update_set") or title
        source = SourceInstance.from_params({**task, **params}, context, update_set)
        if source is None:
            raise InvalidInput(f"source is {params['source']!r}, but source_options are missing")
        return cls(UpdateSet(request_of({**task, **params}, update_set, source, is_fallback_manual=True), source))

    def reads(self) -> list[Query]:
        """Return the queries for the retrieved sets."""
        return self.update_set.reads()

    def further_queries(self, snapshot: Snapshot) -> list[Query]:
        """Return the queries for the updates and problems of the retrieved sets."""
        return self.update_set.further_queries(snapshot)

    def plan(
        self,
        plan: Plan,
        snapshot: Snapshot,
        secrets: SecretDecision,
        outcomes: Sequence[dict[str, Any]],
        steps: Sequence[ManualStep],
    ) -> None:
        """Add the operation that covers the open objects `outcomes` to `plan`, or what is left for people to `steps`.

        The plan after the writes decides: what is still open then is a manual step.
        """
        is_first = not self._planned
        if is_first:
            self._planned = {outcome["object"]: (outcome, outcome["status"]) for outcome in outcomes}
        taken = self.update_set.plan(snapshot, secrets) if outcomes else Plan("")
        if is_first and taken.writes:
            for outcome in outcomes:
                outcome["status"] = CHANGED
            for write in taken.writes:
                write.stage = max([write.stage, *(other.stage + 1 for other in plan.writes)])
            plan.writes += taken.writes
            plan.needs += taken.needs
            return
        if outcomes:
            self._note_without_effect(taken)
        for outcome in outcomes:
            first, status = self._planned.get(outcome["object"], (outcome, outcome["status"]))
            first["status"] = status
        plan.manual_steps += [self._explained(step) for step in steps]

    def _note_without_effect(self, taken: Plan) -> None:
        """Note that every set is committed, if nothing else says why objects are open."""
        request, states = self.update_set.request, {each["state"] for each in taken.object.get("sets", [])}
        if not request.notes and states == {COMMITTED}:
            request.notes.append(
                f"the {request.words} of {request.queries.source} is committed here, but this did not take effect, or is not part of it"
            )

    def _explained(self, step: ManualStep) -> ManualStep:
        """Return the step with why the update set did not save it, which summaries show among its values."""
        notes = self.update_set.request.notes
        if not notes:
            return step
        why = ". ".join(notes)
        return replace(step, reason=f"{step.reason}. {why}", values={**step.values, NOT_TAKEN_OVER: why})


def request_of(
    params: Mapping[str, Any], update_set: str, source: SourceInstance | None, *, is_fallback_manual: bool = False
) -> Request:
    """Return what a task asks for; raise `InvalidInput` for a name that is empty."""
    name = str(params["source"]).strip()
    if not name or not update_set.strip():
        raise InvalidInput("source and update_set need a name")
    urls = (source.url, f"{source.url}/") if source else ()
    timeout, interval = params.get("wait_timeout"), params.get("poll_interval")
    waiting = DEFAULT_WAIT if timeout is None or interval is None else Wait(True, timeout, interval)
    return Request(
        UpdateSetQueries(update_set, name, urls),
        state=params.get("state") or "committed",
        accept_conflicts=bool(params.get("accept_conflicts")),
        waiting=waiting,
        is_fallback_manual=is_fallback_manual,
    )
