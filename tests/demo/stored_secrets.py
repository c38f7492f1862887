# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the demo about stored secrets: lost ones are not replaced, new ones reach every service, and all are
rotated; then an instance leaves the fleet.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from tests.sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from tests.demo.__main__ import Demo

INSTANCE = "acme-dev"
NEW_SECRET = "a-client-secret-of-the-demo-0000000000001"


def lose_secrets(demo: Demo) -> None:
    """Move the secrets of an instance away, and back."""
    stored = demo.folder / "servicenow_defender_secrets" / INSTANCE
    elsewhere = demo.folder / "lost"
    demo.say(f"The stored secrets of {INSTANCE} are lost: onboard does not replace those that are in use")
    shutil.move(stored, elsewhere)
    hosts = demo.play("onboard", "--limit", INSTANCE)
    demo.expect("it fails and changes nothing", hosts[INSTANCE] == (0, 1))
    demo.expect("no secret was generated", not stored.exists())
    shutil.move(elsewhere, stored)


def replace_secret(demo: Demo, fleet: SandboxProcess, *variables: str) -> None:
    """Replace the client secret that Defender for Cloud signs in with, which Microsoft never returns."""
    stored = demo.folder / "servicenow_defender_secrets" / INSTANCE / "mdc_client_secret"
    demo.say(f"A new client secret for {INSTANCE} is stored: it reaches ServiceNow and Defender for Cloud in one run")
    stored.write_text(f"{NEW_SECRET}\n")
    hosts = demo.play("onboard", *variables)
    demo.expect("the instance and the tenant changed", [h for h, (c, _f) in hosts.items() if c] == [INSTANCE, "tenant"])
    held = {
        row["properties"]["displayName"]: row["sha256"]["clientSecret"] for row in fleet.tenant_state("integrations")
    }
    demo.expect("the integration holds it", held[INSTANCE] == hashlib.sha256(NEW_SECRET.encode()).hexdigest())


def rotate_secrets(demo: Demo, *variables: str) -> None:
    """Rotate the secrets of Defender for Cloud on all instances."""
    folder = demo.folder / "servicenow_defender_secrets"
    before = {path: path.read_text() for path in folder.glob("*/mdc_client_secret")}
    demo.say("Secrets are rotated, instance by instance: on ServiceNow, then on the side of Microsoft")
    demo.play("rotate", *variables)
    demo.expect("no file holds the secret that it had", all(path.read_text() != text for path, text in before.items()))
    hosts = demo.play("rotate", *variables)
    demo.expect("a second run changes nothing", not any(changed for changed, _failed in hosts.values()))


def take_out(demo: Demo, fleet: SandboxProcess, *variables: str) -> None:
    """Take one instance out of the fleet of Defender for Cloud."""
    words = ("--limit", f"{INSTANCE},tenant", *variables)
    demo.say(f"{INSTANCE} leaves the fleet: first what would be removed, then it is, Microsoft's side first")
    demo.play("offboard", *words, "--check")
    demo.expect("check mode removes nothing", len(fleet.tenant_state("integrations")) == 3)
    hosts = demo.play("offboard", *words, "-e", "offboarding_confirm=true")
    demo.expect("none failed", not any(failed for _changed, failed in hosts.values()))
    demo.expect("its integration is removed", len(fleet.tenant_state("integrations")) == 2)
    accounts = [row["user_name"] for row in fleet.state(INSTANCE, "sys_user")]
    demo.expect("its account is removed", "svc_defender_cloud" not in accounts)
