# SPDX-License-Identifier: GPL-3.0-or-later
"""What withholds a deviating setting, and the option that has it written."""

from __future__ import annotations

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.catalogue import BY_ID
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.write_policy import (
    Allowances,
    as_result,
    reason_not_to_write,
    withheld_by_default,
)
from tests.unit.plugins.module_utils.hardening.fake_settings import Shown

ALL_ALLOWED = Allowances(irreversible=True, plugins=True, accepted=frozenset(BY_ID))


@pytest.mark.parametrize(
    ("id", "value", "withheld_by", "switch"),
    [
        ("session.idle_timeout", "120", "", ""),
        ("session.idle_timeout", "30", "", ""),
        ("acl.impersonation_admin_only", "true", "irreversible", "allow_irreversible"),
        ("soap.unescape_response", "true", "baseline", "ids"),
        ("tls.deprecated", "false", "", ""),
        ("tls.ocsp_network_error", "true", "side_effects", "accept_side_effects"),
        ("plugin.security_jump_start", "false", "plugin", "allow_plugins"),
        ("csrf.strict", "false", "elevation", ""),
        ("acl.strict_updates", "false", "locked", ""),
        ("auth.password_min_length", "8", "manual", ""),
    ],
)
def test_a_result_names_what_withholds_a_setting(id: str, value: str, withheld_by: str, switch: str) -> None:
    shown = Shown()
    shown.put(BY_ID[id], value)
    if id == "csrf.strict":
        shown.tables["sys_properties"][-1]["write_roles"] = "security_admin"
    entry = shown.verdict(id)
    row = as_result(entry, withheld_by_default(entry))
    assert (row["withheld_by"], row["switch"]) == (withheld_by, switch)


@pytest.mark.parametrize("id", ["acl.impersonation_admin_only", "soap.unescape_response", "tls.ocsp_network_error"])
def test_its_option_releases_a_setting(id: str) -> None:
    shown = Shown()
    shown.put(BY_ID[id], "true")
    assert reason_not_to_write(shown.verdict(id), ALL_ALLOWED, pinned={id}) is None


def test_a_connection_in_use_withholds_what_everything_else_allows() -> None:
    shown = Shown()
    shown.put(BY_ID["oauth.ropc_disabled"], "false")
    withheld = reason_not_to_write(shown.verdict("oauth.ropc_disabled"), ALL_ALLOWED, disconnected="the connection x")
    assert withheld is not None
    assert (withheld.status, withheld.by, withheld.switch) == ("refused", "connection", "services")


def test_a_row_has_the_documented_keys() -> None:
    shown = Shown()
    shown.put(BY_ID["session.idle_timeout"], "120")
    row = as_result(shown.verdict("session.idle_timeout"), None)
    documented = [
        "id",
        "name",
        "actual",
        "expected",
        "verdict",
        "write_class",
        "severity",
        "points",
        "withheld_by",
        "switch",
        "side_effects",
    ]
    assert set(documented) <= set(row)
    assert (row["points"], row["write_class"], row["verdict"]) == (4, "ordinary", "deviating")
