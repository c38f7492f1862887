# SPDX-License-Identifier: GPL-3.0-or-later
"""A ServiceNow instance as a service of the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from ..faults import Fault
from ..settings import SettingError
from ..web import Call, Reply
from . import backdoor, router
from .instance import ADMIN, AUTOMATION, Instance
from .knobs import Knobs, faults_of, turn


class SnowService:
    """One instance as a service."""

    def __init__(
        self,
        name: str,
        knobs: Knobs,
        seed: int,
        on_inner: Callable[[str, Call], None],
        rows: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.instance = Instance(name, knobs, seed)
        self.instance.on_inner = lambda call: on_inner(name, call)
        if rows is not None:
            self.instance.restore(rows)
        else:
            backdoor.apply_knobs(self.instance, backdoor.differing(knobs))

    @property
    def latency(self) -> float:
        """Seconds of delay before each response."""
        return self.instance.knobs.latency_ms / 1000

    @property
    def faults(self) -> list[Fault]:
        """The faults of this instance."""
        return faults_of(self.instance.knobs)

    @property
    def chance(self) -> Random:
        """The instance's own random generator, seeded by its name."""
        return self.instance.chance

    def route(self, path: str) -> str:
        """Name the route of a path, without identifiers."""
        return router.route_of(path)

    def answer(self, call: Call) -> Reply:
        """Answer one request."""
        return router.answer(self.instance, call)

    def turn(self, data: Mapping[str, Any]) -> None:
        """Turn knobs of the running instance; raises SettingError."""
        if data.get("release", self.instance.knobs.release) != self.instance.knobs.release:
            raise SettingError("the release of a running instance cannot change: make a new instance")
        self.instance.knobs = turn(self.instance.knobs, data)
        backdoor.apply_knobs(self.instance, set(data))

    def tamper(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change rows out of band; raises SettingError."""
        return backdoor.tamper(self.instance, change)

    def accounts(self) -> dict[str, str]:
        """The accounts that can sign in out of the box, with their passwords."""
        return {name: self.instance.password(name) for name in (AUTOMATION, ADMIN)}
