# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be activated or installed, and how long to wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..engine.plan import Write


@dataclass(frozen=True)
class Wait:
    """Whether to wait for an activation, for how long and how often to look, in seconds."""

    wait: bool = True
    timeout: float = 1800
    interval: float = 10


@dataclass
class Activation(Write):
    """An operation of the CI/CD API: POST `path` with `query`, then follow its progress as `waiting` says.

    What has ended well is added to `done`: a list of plugins can lag behind. `plugin` is its id where the label says
    something else.
    """

    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    waiting: Wait = field(default_factory=Wait)
    done: set[str] = field(default_factory=set)
    plugin: str = ""

    @property
    def what(self) -> str:
        """What is activated, as a person calls it: `plugin com.glide.rest`."""
        return f"plugin {self.plugin}" if self.plugin else self.label
