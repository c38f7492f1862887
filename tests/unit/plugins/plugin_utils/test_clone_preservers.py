# SPDX-License-Identifier: GPL-3.0-or-later
"""The data preservers are well-formed, the same for the same names, and name what a connection has."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.clone_preservers import preservers_xml

MDA = {"application_name": "Cloud Apps & more", "user_name": "svc_mda", "role_name": "reader"}
MDC = {"application_name": "Cloud", "user_name": "svc_mdc", "role_name": ""}


def test_each_table_has_one_preserver_with_all_names() -> None:
    text = preservers_xml([MDA, MDC, MDA])
    assert text == preservers_xml([MDC, MDA])
    rows = [{child.tag: child.text for child in row} for row in ElementTree.fromstring(text)]
    assert {row["table"]: row["condition"] for row in rows} == {
        "oauth_entity": "nameINCloud,Cloud Apps & more",
        "oauth_credential": "peer.nameINCloud,Cloud Apps & more",
        "sys_user": "user_nameINsvc_mda,svc_mdc",
        "sys_user_has_role": "user.user_nameINsvc_mda,svc_mdc",
        "sys_user_role": "nameINreader",
    }
    assert len({row["sys_id"] for row in rows}) == len(rows)


def test_a_name_that_a_condition_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="comma"):
        preservers_xml([{**MDC, "application_name": "Cloud, apps"}])
