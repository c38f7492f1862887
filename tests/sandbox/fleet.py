# SPDX-License-Identifier: GPL-3.0-or-later
"""All services of one sandbox: create, reset, remove, save."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .counters import Counters
from .faults import Fault
from .settings import SettingError
from .snow import update_sets
from .snow.configuration_compliance.findings import from_assessments, from_counts
from .snow.configuration_compliance.jobs import run_jobs
from .snow.instance import Instance
from .snow.knobs import Knobs, turn
from .snow.router import route_of
from .snow.service import SnowService
from .tenant.entra.registered import wrong_credential
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
        self._add(name, service)
        self.counters.reset(name)
        return service

    def _add(self, name: str, service: SnowService) -> None:
        service.instance.peer = self._peer
        self.instances[name] = service

    def _peer(self, url: str) -> Instance | None:
        """The instance at a URL of the shared port."""
        service = self.instances.get(url.rstrip("/").rpartition("/")[2])
        return service.instance if service else None

    def clone(self, source: str, target: str) -> None:
        """Copy one instance's rows over another's: users, applications with client ids and secrets, everything.

        What data preservers of a clone keep stays: the name of the instance and the password of the automation. Sessions
        and tokens of the target end. Raises SettingError.
        """
        if source not in self.instances or target not in self.instances or source == target:
            raise SettingError("a clone needs two instances: from and to")
        copied, old = self.instances[source].instance, self.instances[target].instance
        if copied.knobs.release != old.knobs.release:
            raise SettingError("a clone needs instances of one release")
        service = SnowService(target, old.knobs, old.seed, self._count_inner, copied.database.changed_tables())
        service.instance.use_cipher_of(copied.cipher_name)
        service.instance.keep_own_access()
        self._add(target, service)

    def rename(self, old: str, new: str) -> None:
        """Let an instance answer under another address; the old one goes. Raises SettingError."""
        if old not in self.instances or new in self.instances or not _NAME.fullmatch(new) or new in self.others:
            raise SettingError("a rename needs the name of an instance and a new one: from and to")
        service = self.instances.pop(old)
        service.name = new
        service.instance.on_inner = lambda call: self._count_inner(new, call)
        service.instance.set_property("instance_name", new)
        self.instances[new] = service
        self.counters.reset(old)

    def import_update_set(self, name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an administrator with an elevated role does with the file of an update set."""
        return update_sets.import_file(self.instances[name].instance, str(wanted.get("xml", "")))

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
        return run_jobs(self.instances[name].instance, wanted, found, partial(wrong_credential, self.tenant.tenant))

    def _tenant_assessments(self) -> list[dict[str, Any]]:
        try:
            rows: list[dict[str, Any]] = self.tenant.state("assessments")["tables"]["assessments"]
        except SettingError:
            return []
        return rows

    def saved(self, names: Iterable[str]) -> dict[str, Any]:
        """The state of the tenant and of some instances."""
        return {
            "version": 1,
            "tenant": self.tenant.tenant.saved(),
            "instances": {name: self.instances[name].instance.saved() for name in names},
        }

    def save(self, path: Path) -> None:
        """Write the state of all instances and of the tenant; only the owner may read the file."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.saved(self.instances), file, indent=1)

    def load(self, path: Path) -> None:
        """Restore the state that `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        if "tenant" in content:
            self.tenant = TenantService(saved=content["tenant"])
            self.others[self.tenant.name] = self.tenant
        self.restore(content["instances"])

    def restore(self, instances: Mapping[str, Mapping[str, Any]]) -> None:
        """Restore the saved state of instances, by name."""
        for name, saved in instances.items():
            knobs = turn(Knobs(), saved["knobs"])
            service = SnowService(name, knobs, saved["seed"], self._count_inner, saved["tables"])
            # A renamed instance keeps its passwords, a clone the key of its source.
            service.instance.name = saved.get("name", name)
            service.instance.use_cipher_of(saved.get("cipher", name))
            self._add(name, service)
