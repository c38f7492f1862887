# SPDX-License-Identifier: GPL-3.0-or-later
"""The activation of a plugin or installation of an application, and how long to wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..engine.plan import Write
from ..transport.polling import Wait

DEFAULT_WAIT = Wait(wanted=True, timeout=1800.0, interval=10.0, option="")


@dataclass
class Activation(Write):
    """An operation of the CI/CD API: POST `path` with `query`, then follow its progress as `waiting` asks for.

    What has ended well is added to `done`: the instance's lists of plugins can lag behind. `plugin` is the id of the
    plugin if the label is not made of it.
    """

    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    waiting: Wait = DEFAULT_WAIT
    done: set[str] = field(default_factory=set)
    plugin: str = ""

    @property
    def what(self) -> str:
        """What is activated, for messages: `plugin com.glide.rest`."""
        return f"plugin {self.plugin}" if self.plugin else self.label
