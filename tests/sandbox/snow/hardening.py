# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardening settings as shipped, and the protection of their rows.

See docs/facts/servicenow_hardening.md#who-may-write-a-setting, docs/facts/servicenow_hardening.md#hardening-catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .releases import RELEASES, Release

if TYPE_CHECKING:
    from .write_context import WriteContext

_DATA = Path(__file__).parent / "data" / "hardening.txt"
_NO_ROW = "-"


@dataclass(frozen=True, slots=True)
class Setting:
    """One property of the catalogue. `value` is None if an instance ships without its row."""

    name: str
    kind: str
    value: str | None
    flags: str
    first: int
    last: int
    application: str
    description: str

    @property
    def write_roles(self) -> str:
        """The write roles of its row."""
        return "security_admin" if "E" in self.flags else ""

    @property
    def scope(self) -> str:
        """The application scope of its row; global for the platform's own names."""
        return self.name.partition(".")[0] if self.application and self.name.startswith("sn_") else "global"


@cache
def settings() -> dict[str, Setting]:
    """All settings of the data file by name."""
    read_cells = _DATA.read_text(encoding="utf-8").splitlines()
    rows = [_setting(line) for line in read_cells if line and not line.startswith("#")]
    return {row.name: row for row in rows}


def _setting(line: str) -> Setting:
    name, kind, value, flags, releases, application, description = ([*map(str.strip, line.split("|"))] + [""] * 4)[:7]
    first, _, last = releases.partition("..")
    return Setting(
        name,
        kind,
        None if value == _NO_ROW else value,
        flags,
        RELEASES[first].order if first else 0,
        RELEASES[last].order if last else len(RELEASES),
        application,
        description,
    )


def shipped(release: Release, application: str = "") -> Iterator[Setting]:
    """The settings that have a row on a release, of the platform or of one application."""
    for setting in settings().values():
        if (
            setting.value is not None
            and setting.application == application
            and setting.first <= release.order <= setting.last
        ):
            yield setting


def applications() -> list[str]:
    """The applications that ship their own settings."""
    return sorted({setting.application for setting in settings().values()} - {""})


def is_locked(name: str) -> bool:
    """Whether a property cannot be set by customers."""
    setting = settings().get(name)
    return setting is not None and "L" in setting.flags


def guard(change: WriteContext) -> None:
    """Refuse protected changes: creating a locked property, changing an irreversible one again.

    What "safe harbor" locks is not published: here a row that was changed or created cannot be changed again.
    """
    name = (change.old or change.row).get("name", "")
    if change.caller is None:
        return
    if is_locked(name):
        raise change.abort("Prevent changes of locked properties")
    setting = settings().get(name)
    if setting is None or "I" not in setting.flags or change.instance.knobs.irreversible == "open":
        return
    is_changed_before = change.old is not None and change.old.get("sys_updated_by") != "system"
    if is_changed_before and (change.operation == "delete" or change.sets("value") or change.sets("name")):
        raise change.abort("Prevent changes of safe harbor properties")
