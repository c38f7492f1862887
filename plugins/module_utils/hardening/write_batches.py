# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of writes, and their batches: after each batch the account signs in again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..engine.plan import Write
from .catalogue.setting import PLUGIN, Setting

# Each write flushes the caches of all nodes.
BATCH_SIZE = 5
# Batches come after the stages of other resources.
FIRST_STAGE = 20
SIGN_IN_CATEGORIES = ("Authentication", "Session management", "API and web service")


def write_order(setting: Setting) -> tuple[bool, bool, bool]:
    """Return the sort key of a write: plugins last, irreversible settings before them, then those about signing in."""
    return setting.kind == PLUGIN, setting.irreversible, setting.category in SIGN_IN_CATEGORIES


def assign_stages(writes: Sequence[Write], settings: Mapping[str, Setting]) -> None:
    """Assign one stage to the writes of each batch; `settings` by label of the write, which are in their order."""
    stage, size, last = FIRST_STAGE, 0, None
    for write in writes:
        order = write_order(settings[write.label])
        alone = order[0] or order[1]
        if last is not None and (order != last or size >= BATCH_SIZE or alone):
            stage, size = stage + 1, 0
        write.stage = stage
        size, last = size + 1, order
