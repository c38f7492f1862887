# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved plan: the first run writes a file, the next one applies exactly what is in it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import Playbooks
from tests.integration.tenant import HOST
from tests.integration.test_offboard import BOTH, CONFIRMED, RULE, by_contract, contract, fleet, left_on
from tests.integration.test_onboard import USERS
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(1)

__all__ = ["contract"]
# An account that needs no access rules, which cannot be written.
ADMIN = {"snow_connection_legacy_admin": True}


@pytest.fixture
def path(playbook: Playbooks) -> Path:
    return playbook.folder / "plan.json"


def planned(path: Path) -> dict[str, Any]:
    return {"servicenow_defender_plan": str(path)}


def changes(path: Path) -> list[tuple[str, str, str]]:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return [(row["object"], row["field"], row["after"]) for row in json.loads(path.read_text())["changes"]]


def test_onboard_and_offboard_apply_exactly_the_saved_plan(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance, contract: str, path: Path
) -> None:
    first, second = new_instance(), new_instance()
    tenant = fleet(playbook, sandbox, first, second, mdc_itsm_rules=[RULE], **BOTH, **planned(path), **ADMIN)
    tenant.variables.update(by_contract(tenant, contract))
    shown = tenant("onboard", check=True).went_well()
    assert f"a plan would be saved in {path}: " in shown.summary
    assert not path.exists()

    saved = tenant("onboard").went_well()
    assert not tenant.written()
    assert not (playbook.folder / "secrets").exists()
    assert f"the plan is saved in {path}: " in saved.summary
    rows = changes(path)
    assert (f"user {USERS['mda']}", "password", "(new secret)") in rows
    assert (f"user {USERS['mdc']}", "roles", ["admin"]) in rows
    assert (f"connector {first.name}", "status", "connected") in rows
    assert (f"integration {second.name}", "credentials", "(new secret)") in rows

    ranges = [{"name": "Head office", "category": "corporate", "subnets": ["192.0.2.0/24"]}]
    others = {"mdc_itsm_rules": [{**RULE, "priority": 20}], "mda_protection_ip_ranges": ranges}
    moved = tenant("onboard", variables=others)
    assert moved.status == 2
    assert not tenant.written()
    assert "is not what would be written now, so nothing was written. Moved: " in moved.summary
    assert f"added: {HOST}: ip_range Head office (" in moved.summary
    assert f"changed: {HOST}: governance_rule High findings (priority): 20, approved was 10" in moved.summary

    done = tenant("onboard").went_well()
    assert f"exactly the plan in {path} was applied" in done.summary
    assert done.summary.startswith("2 instances: 2 corrected")
    assert {row["name"] for row in tenant.rows("connectors")} == {first.name, second.name}
    tenant.forget_requests()
    again = tenant("onboard").went_well()
    assert f"nothing is left to change: the plan in {path} is applied" in again.summary
    assert sum(numbers["changed"] for numbers in again.recap.values()) == 0, again.output
    assert not tenant.written()

    refused = tenant("offboard", variables=CONFIRMED)
    assert f"the plan in {path} is one of onboard, not of offboard" in refused.summary
    path.unlink()
    tenant("offboard", variables=CONFIRMED).went_well()
    assert not tenant.written()
    assert (f"user {USERS['mda']}", "state", "absent") in changes(path)
    gone = tenant("offboard", variables=CONFIRMED).went_well()
    assert f"exactly the plan in {path} was applied" in gone.summary
    assert not left_on(second)


def test_rotate_and_harden_apply_exactly_the_saved_plan(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance, path: Path
) -> None:
    tenant = Defender(playbook, sandbox, instance, subscriptions=1)
    tenant.onboarded()
    secret = playbook.folder / "secrets" / instance.name / "mdc_password"
    before = secret.read_text()
    for what, wanted in (
        ("rotate", (f"user {USERS['mdc']}", "password", "(new secret)")),
        ("harden", ("setting session.idle_timeout", "glide.ui.session_timeout", "60")),
    ):
        path.unlink(missing_ok=True)
        tenant.forget_requests()
        tenant(what, variables=planned(path)).went_well()
        assert not tenant.written()
        assert wanted in changes(path)
        assert (secret.read_text() == before) is (what == "rotate")
        done = tenant(what, variables=planned(path)).went_well()
        assert f"exactly the plan in {path} was applied" in done.summary
        assert secret.read_text() != before
    assert secret.read_text() not in path.read_text()
