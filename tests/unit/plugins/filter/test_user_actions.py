# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is meant, in the form that entra_user_actions takes."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.secops.servicenow_defender.plugins.filter.user_actions import user_actions


def test_rows_name_each_user_once_and_none_where_there_is_none() -> None:
    rows = [{"AccountObjectId": "A"}, {"AccountObjectId": None}, {"AccountObjectId": "a"}, {"AccountObjectId": " b "}]
    assert user_actions(rows, "suspend") == [{"id": "A", "action": "suspend"}, {"id": "b", "action": "suspend"}]


def test_each_user_gets_each_action() -> None:
    found = user_actions(["a", "b"], ["suspend", "notify"])
    assert [(entry["id"], entry["action"]) for entry in found] == [
        ("a", "suspend"), ("a", "notify"), ("b", "suspend"), ("b", "notify"),
    ]  # fmt: skip


def test_rows_without_the_column_are_refused_with_the_columns_there_are() -> None:
    with pytest.raises(AnsibleFilterError, match="no column 'Upn'; they have: AccountId"):
        user_actions([{"AccountId": "a"}], "suspend", "Upn")
