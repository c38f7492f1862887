# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings would break a connection, also one that no option names."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import (
    Query,
    QueryResult,
    Snapshot,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.connection_impact import (
    MFA,
    RESET,
    ROPC,
    Connections,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.queries import (
    FOR_INTEGRATIONS,
    PROPERTIES,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.registered_consumers import (
    ACTING,
    MACHINES,
)

ENTRY = {"application": "Microsoft Defender for Cloud Apps", "user_name": "svc_defender_cloud_apps"}
NETWORK = "network.ip_strict"
TOKEN = {
    "peer.name": "CASB production",
    "peer.active": "true",
    "peer.user": "",
    "peer.sys_class_name": "oauth_entity",
    "expires": "2099-01-01 00:00:00",
    "user.user_name": "svc_casb",
    "user.password_needs_reset": "false",
    "user.enable_multifactor_authn": "false",
}
ACTING_APPLICATION = {"name": "CMDB feed", "active": "true", "user.user_name": "svc_feed"}


def impact(
    id: str,
    *,
    entries: tuple[dict[str, str], ...] = (ENTRY,),
    own_user: str = "",
    tokens: QueryResult | None = None,
    acting: tuple[dict[str, str], ...] = (),
) -> str:
    connections = Connections(entries, "basic", own_user)
    reads = connections.reads([id])
    answers = {ACTING: QueryResult(acting), MACHINES: tokens or QueryResult()}
    snapshot = Snapshot.of(reads, [answers.get(read.column, QueryResult()) for read in reads], "sys_id")
    return connections.disconnected_by(id, snapshot)


def held(**columns: Any) -> QueryResult:
    return QueryResult(({**TOKEN, **columns},))


def test_an_application_that_no_option_names_is_found_by_its_tokens() -> None:
    found = impact(ROPC, tokens=held())
    assert "CASB production, which services does not list, holds tokens of svc_casb" in found
    found = impact(NETWORK, tokens=held(), acting=(ACTING_APPLICATION,))
    assert found.startswith(
        "the OAuth application CMDB feed and the OAuth application CASB production would be locked out"
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"expires": "2020-01-01 00:00:00"},
        {"peer.active": "false"},
        {"peer.user": "an account"},
        {"peer.sys_class_name": "oauth_jwt"},
        {"user.user_name": "svc_ansible"},
        {"peer.name": ""},
    ],
)
def test_the_password_grant_is_not_assumed(columns: dict[str, str]) -> None:
    assert impact(ROPC, own_user="svc_ansible", tokens=held(**columns)) == ""


def test_without_services_only_this_automation_counts() -> None:
    assert impact(ROPC, entries=(), tokens=held()) == ""
    assert Connections((), "basic").reads([ROPC]) == []


def test_tokens_that_cannot_be_read_are_not_taken_for_none() -> None:
    assert "cannot be read (403 no rights)" in impact(ROPC, tokens=QueryResult(refused="403 no rights"))
    assert "2 rows of oauth_credential are hidden" in impact(ROPC, tokens=QueryResult(total=2))


def test_the_accounts_of_consumers_count_also_under_other_names() -> None:
    renamed = held(**{"peer.name": ENTRY["application"], "user.password_needs_reset": "true"})
    assert impact(RESET, tokens=renamed) == "the account svc_casb must change its password"
    acting = {**ACTING_APPLICATION, "user.password_needs_reset": "true"}
    assert impact(RESET, acting=(acting,)) == "the account svc_feed must change its password"


def test_multifactor_matters_only_if_it_covers_integrations() -> None:
    connections = Connections((ENTRY,), "basic")
    reads = connections.reads([MFA])
    answers = [
        held(**{"user.enable_multifactor_authn": "true"}) if r.column == MACHINES else QueryResult() for r in reads
    ]
    snapshot = Snapshot.of(reads, answers, "sys_id")
    assert connections.disconnected_by(MFA, snapshot) == ""
    on = (
        Query(PROPERTIES, "name", (FOR_INTEGRATIONS,), ()),
        QueryResult(({"name": FOR_INTEGRATIONS, "value": "true"},)),
    )
    snapshot.answers.append(on)
    assert "svc_casb is enrolled" in connections.disconnected_by(MFA, Snapshot(snapshot.answers, "sys_id"))
