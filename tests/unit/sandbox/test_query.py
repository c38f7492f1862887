# SPDX-License-Identifier: GPL-3.0-or-later
"""Encoded queries (docs/facts/servicenow_platform.md#encoded-queries)."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.snow.matching import Matcher, QueryContext
from tests.sandbox.snow.query import Condition, parse
from tests.sandbox.snow.schema import schema_of
from tests.sandbox.snow.store import Database, Rows

NOW = datetime(2026, 3, 1, 12, 0, 0)
USERS = [
    {"sys_id": "u1", "user_name": "Anna", "active": "true", "failed_attempts": "2", "manager": "u3", "email": "a^b"},
    {
        "sys_id": "u2",
        "user_name": "ben",
        "active": "false",
        "failed_attempts": "10",
        "sys_created_on": "2026-03-01 08:00:00",
    },
    {"sys_id": "u3", "user_name": "Cleo", "active": "true", "sys_created_on": "2026-02-20 08:00:00"},
]


def select(query: str, *, strict: bool = False) -> list[str]:
    database = Database(schema_of("zurich"), {"sys_user": Rows({row["sys_id"]: row for row in USERS})})
    asker = QueryContext("u1", "Anna", NOW, strict)
    return [row["sys_id"] for row in Matcher(database, "sys_user", asker).select(parse(query))]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "u1 u2 u3"),
        ("user_name=anna", "u1"),
        ("user_name=ANNA^active=true", "u1"),
        ("user_name!=anna", "u2 u3"),
        # OR binds to the term right before it: active and (ben or Cleo).
        ("active=true^user_name=ben^ORuser_name=cleo", "u3"),
        ("active=false^NQuser_name=anna", "u1 u2"),
        ("user_nameINanna,ben", "u1 u2"),
        ("user_nameNOT INanna,ben", "u3"),
        ("user_nameLIKEn", "u1 u2"),
        ("user_name*n", "u1 u2"),
        ("user_nameNOT LIKEn", "u3"),
        ("user_nameNOTLIKEn", "u3"),
        ("user_name!*n", "u3"),
        ("user_nameSTARTSWITHc", "u3"),
        ("user_nameENDSWITHN", "u2"),
        ("user_name%n", "u2"),
        ("managerISEMPTY", "u2 u3"),
        ("managerISNOTEMPTY", "u1"),
        ("managerEMPTYSTRING", "u2 u3"),
        ("managerANYTHING", "u1 u2 u3"),
        ("failed_attempts>2", "u2"),
        ("failed_attempts>=2", "u1 u2"),
        ("failed_attempts<10", "u1"),
        ("failed_attemptsBETWEEN3@10", "u2"),
        ("active=1", "u1 u3"),
        ("email=a^^b", "u1"),
        ("manager.user_name=cleo", "u1"),
        ("manager.user_nameINcleo,nobody", "u1"),
        ("sys_id=javascript:gs.getUserID()", "u1"),
        ("user_name=javascript:gs.getUserName()", "u1"),
        ("sys_idDYNAMIC90d1921e5f510100a9ad2572f2b477fe", "u1"),
        ("user_name=javascript:doEvil()", ""),
        ("sys_created_on>javascript:gs.daysAgo(3)", "u2"),
        ("sys_created_onONToday@javascript:gs.beginningOfToday()@javascript:gs.endOfToday()", "u2"),
        ("sys_created_onRELATIVEGT@dayofweek@ago@3", "u2"),
        ("sys_created_onRELATIVELT@hour@ago@2", "u2 u3"),
        ("user_nameSAMEASuser_name", "u1 u2 u3"),
        ("user_nameNSAMEASsys_id", "u1 u2 u3"),
        ("sys_created_onGT_FIELDlast_login_time", "u2 u3"),
        ("ORDERBYDESCuser_name", "u3 u2 u1"),
        ("active=true^ORDERBYDESCfailed_attempts", "u1 u3"),
        ("ORDERBYmanager^ORDERBYDESCsys_id", "u3 u2 u1"),
        ("active=true^EQ", "u1 u3"),
        ("RLQUERYsys_user.manager,>=1^active=true^ENDRLQUERY", "u3"),
        ("JOINsys_user.sys_id=sys_user.manager!active=true", "u3"),
        ("123TEXTQUERY321=cleo", "u3"),
    ],
)
def test_operators_select_rows_like_the_platform(query: str, found: str) -> None:
    assert select(query) == found.split()


@pytest.mark.parametrize("query", ["bogus=1", "manager.bogus=1", "user_nameBOGUSx", "u_typo!=x"])
def test_a_term_with_an_unknown_field_is_dropped_so_that_everything_matches(query: str) -> None:
    assert select(query) == ["u1", "u2", "u3"]
    assert select(f"user_name=ben^{query}") == ["u2"]


@pytest.mark.parametrize("query", ["bogus=1", "user_name=ben^bogus=1", "user_name=ben^ORbogus=1"])
def test_with_the_strict_property_an_unknown_field_matches_nothing(query: str) -> None:
    assert select(query, strict=True) == []


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"))))
@settings(deadline=None)
def test_any_value_is_kept_once_its_carets_are_escaped(value: str) -> None:
    query = parse(f"name={value.replace('^', '^^')}")
    assert query.groups == (((Condition("name", "=", value),),),)


@given(st.text())
@settings(deadline=None)
def test_no_text_breaks_the_parser_or_the_matcher(text: str) -> None:
    select(text)
