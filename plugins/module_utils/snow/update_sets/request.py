# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks for: which update set, how far it is taken over, and the write that does it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...engine.plan import Write
from ...transport.polling import Wait
from ..activation import DEFAULT_WAIT
from .read_back import ReadBack
from .retrieved import COMMITTED, PreviewProblem, UpdateSetQueries

BACKED_OUT = "backed_out"
STATES = (COMMITTED, "previewed", BACKED_OUT)
UNDO = "Run secops.servicenow_defender.snow_update_set with state: backed_out to undo what was committed"


@dataclass
class Request:
    """One update set of one source, and the desired `state`.

    `accept_conflicts`: updates that conflict with the instance's own are accepted. With `is_fallback_manual`, conflicts and
    updates that did not take effect are noted in `notes`, since a manual step remains; otherwise they fail the task.
    """

    queries: UpdateSetQueries
    state: str = COMMITTED
    accept_conflicts: bool = False
    waiting: Wait = DEFAULT_WAIT
    is_fallback_manual: bool = False
    notes: list[str] = field(default_factory=list)
    # What was read back after the commit of this task, None as long as there was none.
    committed: ReadBack | None = None

    @property
    def name(self) -> str:
        """The name of the update set."""
        return self.queries.update_set

    @property
    def label(self) -> str:
        """The update set as results name it."""
        return f"update_set {self.name}"

    @property
    def words(self) -> str:
        """The update set as messages name it."""
        return f"update set {self.name}"


@dataclass
class TakeOverWrite(Write):
    """The operations that bring the sets with the ids `wanted` on the source (oldest first) to the state of `request`.

    `source_id` is the source's row on the instance. `problems` are those of the previews, once they have run.
    """

    request: Request | None = None
    wanted: tuple[str, ...] = ()
    source_id: str = ""
    problems: list[PreviewProblem] = field(default_factory=list)
