# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the demo about an instance that was connected by hand: its variables are written, and drift is clean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from tests.demo.__main__ import Demo

INSTANCE, APPLICATION, ACCOUNT = "acme-legacy", "MCAS connector", "mcas.service"


def adopt_instance(demo: Demo, fleet: SandboxProcess) -> None:
    """Adopt one instance with an inventory of its own."""
    access = fleet.new_instance(INSTANCE)
    connect_by_hand(fleet)
    folder = demo.folder / "legacy"
    folder.mkdir()
    variables = {**access.options(), "ansible_connection": "local"}
    inventory = folder / "inventory.yml"
    inventory.write_text(json.dumps({"servicenow": {"hosts": {INSTANCE: variables}}}))

    demo.say(f"{INSTANCE} was connected by hand, under other names: write the variables that describe it")
    hosts = demo.play("adopt", inventory=inventory)
    written = folder / "host_vars" / INSTANCE / "servicenow_defender.yml"
    demo.expect("its file is written", hosts[INSTANCE] == (1, 0) and ACCOUNT in written.read_text())
    hosts = demo.play("drift", "--tags", "snow", inventory=inventory)
    demo.expect("drift is clean", hosts[INSTANCE] == (0, 0))
    fleet.remove(INSTANCE)


def connect_by_hand(fleet: SandboxProcess) -> None:
    """Do what an administrator did years ago."""
    application = {
        "name": APPLICATION,
        "type": "client",
        "active": "true",
        "client_id": "by-hand",
        "access_token_lifespan": "1800",
    }
    fleet.tamper(INSTANCE, "oauth_entity", application, insert=True)
    (role,) = fleet.tamper(INSTANCE, "sys_user_role", {"name": "x_mcas_reader"}, insert=True)
    (user,) = fleet.tamper(INSTANCE, "sys_user", {"user_name": ACCOUNT, "active": "true"}, insert=True)
    fleet.tamper(INSTANCE, "sys_user_has_role", {"user": user, "role": role, "inherited": "false"}, insert=True)
