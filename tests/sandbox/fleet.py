# SPDX-License-Identifier: GPL-3.0-or-later
"""All services of one sandbox: create, reset, remove, save."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .counters import Counters
from .faults import Fault
from .settings import SettingError
from .snow.configuration_compliance.findings import from_assessments, from_counts
from .snow.configuration_compliance.jobs import run_jobs
from .snow.knobs import Knobs, turn
from .snow.router import route_of
from .snow.service import SnowService
from .tenant.service import TenantService
from .web import Call, Service

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_FIRST = ("acme-dev", "acme-test", "acme-prod")


def names(count: int) -> list[str]:
    """The names of a fleet of `count` instances."""
    return list(_FIRST[:count]) if count <= len(_FIRST) else [f"acme-{number:03d}" for number in range(1, count + 1)]


class Fleet:
    """The instances of a sandbox by name, and what they share: seed, default knobs, faults of the run, counts."""

    def __init__(
        self, *, seed: int = 0, defaults: Mapping[str, Any] | None = None, faults: list[Fault] | None = None
    ) -> None:
        self.seed = seed
        self.defaults = turn(Knobs(), defaults or {})
        self.faults = faults or []
        self.chance = random.Random(seed)
        self.counters = Counters()
        self.instances: dict[str, SnowService] = {}
        self.tenant = TenantService(seed)
        self.others: dict[str, Service] = {self.tenant.name: self.tenant}
        """Services other than instances, such as a Microsoft tenant, by the first segment of the path."""

    def service(self, name: str) -> Service | None:
        """The service that answers under a name."""
        return self.instances.get(name) or self.others.get(name)

    def create(self, name: str, knobs: Mapping[str, Any] | None = None) -> SnowService:
        """Create a fresh instance, replacing one of the same name; raises SettingError."""
        if not _NAME.fullmatch(name) or name in self.others:
            raise SettingError(f"{name!r} is not an instance name")
        service = SnowService(name, turn(self.defaults, knobs or {}), self.seed, self._count_inner)
        self.instances[name] = service
        self.counters.reset(name)
        return service

    def _count_inner(self, name: str, call: Call) -> None:
        self.counters.record(name, f"{call.method} {route_of(call.path)}", inner=True)

    def run_jobs(self, name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Run the jobs of an instance's Defender for Cloud integration; raises SettingError.

        They read the given assessments, generated ones (from counts), or those of the tenant; the tenant also decides
        which credentials are valid.
        """
        if "assessments" in wanted or "counts" in wanted:
            found = from_assessments(wanted.get("assessments", ())) + from_counts(wanted.get("counts", {}))
        else:
            found = from_assessments(self._tenant_assessments())
        tenant = self.tenant.tenant
        account = {"tenant_id": tenant.tenant_id, "client_id": tenant.client_id, "client_secret": tenant.client_secret}
        if tenant.knobs.client_secret == "expired":
            account["client_secret"] = ""
        return run_jobs(self.instances[name].instance, wanted, found, account)

    def _tenant_assessments(self) -> list[dict[str, Any]]:
        try:
            rows: list[dict[str, Any]] = self.tenant.state("assessments")["tables"]["assessments"]
        except SettingError:
            return []
        return rows

    def save(self, path: Path) -> None:
        """Write the state of all instances and of the tenant; only the owner may read the file."""
        content = {
            "version": 1,
            "tenant": self.tenant.tenant.saved(),
            "instances": {name: service.instance.saved() for name, service in self.instances.items()},
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)

    def load(self, path: Path) -> None:
        """Restore the state that `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        if "tenant" in content:
            self.tenant = TenantService(saved=content["tenant"])
            self.others[self.tenant.name] = self.tenant
        for name, saved in content["instances"].items():
            knobs = turn(Knobs(), saved["knobs"])
            self.instances[name] = SnowService(name, knobs, saved["seed"], self._count_inner, saved["tables"])
