# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that were cloned over others: each gets its own identity again, and no other instance is written."""

from __future__ import annotations

import hashlib

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender, drift_of
from tests.integration.instances import Instance
from tests.integration.playbooks import READING, Playbooks
from tests.integration.tenant import HOST
from tests.sandbox.process import SandboxProcess

pytestmark = pytest.mark.walk(2)

USER, APPLICATION = "svc_defender_cloud", "Microsoft Defender for Cloud"


def test_a_clone_of_a_clone_is_repaired_and_its_sources_are_left_alone(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    source, first, clone = new_instance(), new_instance(), new_instance()
    tenant = Defender(playbook, sandbox, source, first, clone)
    tenant.onboarded()
    own = {each.name: each.row("oauth_entity", name=APPLICATION)["client_id"] for each in tenant.instances}
    held = tenant.rows("integrations")
    for old, new in ((source, first), (first, clone)):
        sandbox.clone(old.name, new.name)
        assert new.row("oauth_entity", name=APPLICATION)["client_id"] == own[old.name]
        tokens = {row["sys_id"] for row in new.rows("oauth_credential")}
        found = tenant("drift")
        assert found.status == 2
        assert set(drift_of(found)) == {
            (f"user {USER}", "password"),
            (f"oauth_application {APPLICATION}", "client_id"),
            (f"oauth_application {APPLICATION}", "client_secret"),
            *({(f"tokens {APPLICATION}", "valid")} if tokens else ()),
        }
        words = f"cloned from {old.name} ({old.access.url}): the application {APPLICATION} has the client id of that instance"
        assert f"{new.name}: warning clone:{APPLICATION}: {words}" in found.summary
        tenant.forget_requests()
        predicted = tenant("onboard", check=True).went_well()
        assert not tenant.written()
        repaired = tenant("onboard").went_well()
        assert sorted(drift_of(predicted)) == sorted(drift_of(repaired)) == sorted(drift_of(found))
        assert f"cloned from {old.name} ({old.access.url}): " in repaired.summary
        assert {each.name for each in tenant.instances if written_on(sandbox, each)} == {new.name}
        assert not tenant.writes(), "Microsoft has its own credentials"
        assert not tokens & {row["sys_id"] for row in new.rows("oauth_credential")}
        assert new.row("oauth_entity", name=APPLICATION)["client_id"] == own[new.name]
        assert tenant("drift").went_well().summary.startswith("3 instances: 3 in sync; tenant: in sync")
    assert tenant.rows("integrations") == held


def written_on(sandbox: SandboxProcess, instance: Instance) -> list[str]:
    """Return the calls that can change an instance, since the last reset."""
    counts = sandbox.requests(instance.name)
    return [route for kind in ("routes", "inner") for route in counts[kind] if not route.startswith(READING)]


def test_a_clone_that_was_never_onboarded_gets_a_client_id_of_its_own(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    source, clone = new_instance(), new_instance()
    tenant = Defender(playbook, sandbox, source)
    tenant.onboarded()
    theirs = source.row("oauth_entity", name=APPLICATION)["client_id"]
    sandbox.clone(source.name, clone.name)
    tenant.instances = (source, clone)
    tenant.forget_requests()
    refused = tenant("onboard")
    assert refused.status == 2
    words = f"The instance may have been cloned from {source.name} ({source.access.url})"
    assert words in refused.on(clone.name, "Refuse to replace secrets that may be in use").message
    assert not written_on(sandbox, clone)
    own_secrets = {"servicenow_defender_rotate": True}
    predicted = tenant("onboard", check=True, variables=own_secrets).went_well()
    run = tenant("onboard", variables=own_secrets).went_well()
    assert sorted(drift_of(predicted)) == sorted(drift_of(run))
    assert not written_on(sandbox, source)
    new = clone.row("oauth_entity", name=APPLICATION)["client_id"]
    assert new not in ("", theirs)
    digests = {row["properties"]["displayName"]: row["sha256"]["clientId"] for row in tenant.rows("integrations")}
    assert digests[clone.name] == hashlib.sha256(new.encode()).hexdigest()
    assert digests[source.name] == hashlib.sha256(theirs.encode()).hexdigest()
    assert tenant("drift").went_well().summary.startswith("2 instances: 2 in sync; tenant: in sync")


def test_a_host_with_the_address_of_another_one_is_refused_before_anything_is_written(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    """Each has stored secrets, so that it would take the other's account and application for its own: replace, or remove them."""
    right, wrong = new_instance(), new_instance()
    tenant = Defender(playbook, sandbox, right, wrong)
    tenant.onboarded()
    content, own = right.content(), wrong.connection
    wrong.connection = {**right.connection}
    tenant.forget_requests()
    for what in ("drift", "onboard", "rotate", "offboard", "verify"):
        run = tenant(what, "--limit", f"{wrong.name},{HOST}", variables={"offboarding_confirm": True})
        assert run.status == 2, what
        words = " and ".join(sorted((right.name, wrong.name)))
        assert f"{words} have the same address {right.access.url}" in run["Check variables"].message, what
    assert "the same address" in tenant("doctor").output
    assert right.content() == content
    assert not tenant.written()
    wrong.connection = own
    named = {"mdc_itsm_display_name": "ServiceNow"}
    assert "have the same mdc_itsm_display_name" in tenant("onboard", variables=named)["Check variables"].message
    assert not tenant.written()
    assert tenant("drift").went_well().summary.startswith("2 instances: 2 in sync")
