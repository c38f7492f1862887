# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets that many tests begin with: the first one onboards them, the others get the state in which they were then.

What is restored is the whole state of the tenant and of the instances, and the folder of their secrets; instances have the names
that they had then.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.sandbox.process import InstanceAccess, SandboxProcess

FOLDER = "{folder}"


@dataclass(frozen=True)
class Saved:
    """What an onboarded fleet was: how its instances are reached, its state in the sandbox, and its secrets."""

    accesses: list[InstanceAccess]
    state: dict[str, Any]
    secrets: Path


class SavedFleets:
    """The saved fleets of one sandbox, in a folder, by what they were made of."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self._known: dict[str, Saved] = {}

    def onboarded(
        self,
        playbook: Playbooks,
        instances: Sequence[Instance],
        made_of: Any,
        onboard: Callable[[], Any],
        with_tenant: bool,
    ) -> None:
        """Give fresh instances, and their tenant, the saved state of a fleet that was made of the same; the first is onboarded."""
        # The folder of the test is not a part of what a fleet is made of.
        given = json.dumps([made_of, [each.knobs for each in instances]], sort_keys=True)
        key = given.replace(str(playbook.folder), FOLDER)
        if key in self._known:
            self._restore(self._known[key], playbook, instances)
        else:
            onboard()
            # The secrets of a backend are elsewhere.
            if (playbook.folder / "secrets").is_dir():
                self._known[key] = self._save(playbook, instances, with_tenant)

    def _save(self, playbook: Playbooks, instances: Sequence[Instance], with_tenant: bool) -> Saved:
        secrets = self.folder / f"secrets-{len(self._known)}"
        shutil.copytree(playbook.folder / "secrets", secrets)
        state = self.sandbox.saved(*(instance.name for instance in instances))
        if not with_tenant:
            del state["tenant"]
        return Saved([instance.access for instance in instances], state, secrets)

    def _restore(self, saved: Saved, playbook: Playbooks, instances: Sequence[Instance]) -> None:
        for instance, access in zip(instances, saved.accesses, strict=True):
            self.sandbox.remove(instance.name)
            instance.become(access)
        self.sandbox.restore(saved.state)
        shutil.copytree(saved.secrets, playbook.folder / "secrets")
