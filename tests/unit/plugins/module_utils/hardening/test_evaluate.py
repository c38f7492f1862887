# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: every row of the catalogue in every situation, and the rules by themselves.

See docs/facts/servicenow_hardening.md#evaluation-rules.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.field import wire_text
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening import locations
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.baseline import Selection, select
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.catalogue import (
    BY_ID,
    CATALOGUE,
    Setting,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.evaluate import Target, fulfils
from tests.unit.plugins.module_utils.hardening.fake_settings import Shown

NO_RECORD = [s for s in CATALOGUE if isinstance(locations.location_of(s), locations.NoLocation)]
JUDGED = [s for s in CATALOGUE if s.comparator != "review" and s not in NO_RECORD]
REVIEWED = [s for s in CATALOGUE if s.comparator == "review" and s not in NO_RECORD]


def each(settings: list[Setting]) -> Any:
    return pytest.mark.parametrize("setting", settings, ids=lambda setting: setting.id)


def good(setting: Setting) -> str:
    """Return a value that is as recommended, and not the recommended one where there are others."""
    wanted: Any = setting.recommended
    limited = {"le": 0, "lt": -1, "ge": 1, "min_records": 1, "min_active_records": 1}
    if setting.comparator in limited:
        return str(wanted + limited[setting.comparator])
    listed = {
        "in": lambda: wanted[-1], "empty": lambda: " , ", "not_empty": lambda: "example.com",
        "contains_all": lambda: " , ".join((*wanted, "more")), "subset_of": lambda: wanted[-1],
        "not_contains": lambda: "another", "range_1_720": lambda: "720",
    }  # fmt: skip
    if setting.comparator in listed:
        return str(listed[setting.comparator]())
    return wire_text(wanted)


def bad(setting: Setting) -> str:
    """Return a value that is not as recommended."""
    wanted: Any = setting.recommended
    limited = {"le": 1, "lt": 0, "ge": -1, "min_records": -1, "min_active_records": -1}
    if setting.comparator in limited:
        return str(wanted + limited[setting.comparator])
    if setting.type in ("boolean", "plugin"):
        return "false" if wanted is True else "true"
    listed = {
        "in": lambda: "elsewhere", "empty": lambda: "something", "not_empty": lambda: "",
        "contains_all": lambda: ",".join(wanted[1:]), "subset_of": lambda: ",".join((*wanted, "more")),
        "not_contains": lambda: wanted, "range_1_720": lambda: "0",
    }  # fmt: skip
    if setting.comparator in listed:
        return str(listed[setting.comparator]())
    return str(wanted + 1) if setting.type == "integer" else f"{wire_text(wanted)},other"


@each(JUDGED)
def test_what_is_as_recommended_is_compliant(setting: Setting) -> None:
    shown = Shown()
    shown.put(setting, good(setting))
    found = shown.verdict(setting.id, production=True)
    assert found.verdict == "compliant", found
    assert found.evaluation.actual is not None


@each(JUDGED)
def test_what_is_not_as_recommended_drifts(setting: Setting) -> None:
    shown = Shown()
    shown.put(setting, bad(setting))
    found = shown.verdict(setting.id, production=True)
    assert found.verdict == "deviating", found


@each(JUDGED)
def test_what_has_no_row_is_evaluated_by_its_fallback(setting: Setting) -> None:
    shown = Shown()
    shown.belongs(setting)
    found = shown.verdict(setting.id, production=True)
    if isinstance(locations.location_of(setting), locations.PatternLocation):
        assert found.verdict == "not_applicable"
    elif setting.kind == "plugin" or setting.comparator.startswith("min_"):
        assert found.verdict == "deviating"
    elif setting.id == "va.embed_public":
        assert found.verdict == "compliant"
    elif setting.fallback is None:
        assert (found.verdict, found.evaluation.actual) == ("unknown", None)
    else:
        with_row = Shown()
        with_row.put(setting, wire_text(setting.fallback))
        assert found.verdict == with_row.verdict(setting.id, production=True).verdict
        assert "there is no row" in found.evaluation.reason


@each(JUDGED)
def test_what_may_not_be_seen_is_unknown(setting: Setting) -> None:
    for value in (good(setting), bad(setting)):
        shown = Shown(roles=["itil"], counts_all=False)
        shown.put(setting, value)
        shown.hidden = {row["sys_id"] for rows in shown.tables.values() for row in rows}
        found = shown.verdict(setting.id, production=True)
        assert (found.verdict, found.evaluation.actual) == ("unknown", None), found
        assert found.evaluation.reason


@each([s for s in JUDGED if s.application and s.application != "any scoped"])
def test_an_application_that_is_not_there_has_no_settings(setting: Setting) -> None:
    found = Shown().verdict(setting.id)
    assert found.verdict == "not_applicable"
    assert "no mid server" in found.evaluation.reason or "is not installed" in found.evaluation.reason


@each([s for s in CATALOGUE if s.gone_from])
@pytest.mark.parametrize("value", ["true", "false", None])
def test_a_setting_that_the_release_no_longer_has_gets_no_verdict(setting: Setting, value: str | None) -> None:
    for release, applies in (("xanadu", True), ("brazil", False), (setting.gone_from, False)):
        shown = Shown(release)
        if value:
            shown.put(setting, value)
        assert (shown.verdict(setting.id).verdict != "not_applicable") is applies


@each(REVIEWED)
def test_what_requires_manual_review_is_shown_and_not_evaluated(setting: Setting) -> None:
    shown = Shown()
    shown.put(setting, "true" if setting.type == "boolean" else "10.0.0.1")
    found = shown.verdict(setting.id)
    assert found.verdict == "unknown"
    assert found.evaluation.actual in (True, ["10.0.0.1"])
    assert "manual review" in found.evaluation.reason


@each(NO_RECORD)
def test_what_no_record_shows_is_unknown(setting: Setting) -> None:
    assert Shown().verdict(setting.id).verdict == "unknown"


# -- rows that cannot be seen -----------------------------------------------------------------------------------------

TIMEOUT, COOKIE = BY_ID["session.idle_timeout"], BY_ID["session.remember_me_days"]


@pytest.mark.parametrize("roles", [["admin"], ["itil"]])
def test_a_count_distinguishes_a_hidden_row_from_a_missing_one(roles: list[str]) -> None:
    shown = Shown(roles=roles)
    shown.put(TIMEOUT, "120")
    shown.hidden = {shown.tables["sys_properties"][-1]["sys_id"]}
    found = shown.assess(_both())
    assert found[TIMEOUT.id].verdict == "unknown"
    assert "cannot read" in found[TIMEOUT.id].evaluation.reason
    assert found[COOKIE.id].verdict == "compliant", "it has no row, and the count shows that"
    assert len(shown.asked) == 2


def test_without_a_sign_of_counting_only_admin_knows_what_is_missing() -> None:
    assert Shown(counts_all=False).verdict(COOKIE.id).verdict == "compliant"
    assert Shown(roles=["itil"]).verdict(COOKIE.id).verdict == "unknown"


def test_an_account_that_sees_no_property_at_all_knows_of_none() -> None:
    shown = Shown(counts_all=False)
    shown.tables["sys_properties"].clear()
    assert shown.verdict(COOKIE.id).verdict == "unknown"


def test_a_value_that_may_not_be_read_is_unknown() -> None:
    shown = Shown()
    shown.add("sys_properties", name=TIMEOUT.name)
    assert shown.verdict(TIMEOUT.id).verdict == "unknown"


@pytest.mark.parametrize(
    ("words", "verdict"), [("403 User Not Authorized", "unknown"), ("400 Invalid table x", "not_applicable")]
)
def test_a_table_that_is_refused_is_unknown_and_one_that_is_not_there_does_not_apply(words: str, verdict: str) -> None:
    shown = Shown()
    shown.refused["multi_factor_criteria"] = words
    assert shown.verdict("auth.mfa_role_criteria").verdict == verdict


def test_one_look_is_enough_where_nothing_is_hidden() -> None:
    shown = Shown()
    shown.assess(_whole())
    assert len(shown.asked) == 1


# -- special rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("active", [("true", "false"), ("false", "true"), ("true", "true")])
def test_one_of_the_lockout_actions_is_enough(active: tuple[str, str]) -> None:
    shown = Shown()
    pair = [BY_ID["auth.lockout_action"], BY_ID["auth.lockout_action_unlock"]]
    for setting, value in zip(pair, active, strict=True):
        shown.put(setting, value)
    found = shown.assess(_whole())
    assert [found[setting.id].verdict for setting in pair] == ["compliant", "compliant"]


def test_the_second_version_of_role_management_counts() -> None:
    shown = Shown()
    shown.add("v_plugin", id="com.glide.role_management", active="inactive")
    shown.add("v_plugin", id="com.glide.role_management.inh_count", active="active")
    found = shown.verdict("plugin.contextual_security")
    assert found.verdict == "compliant"
    assert "inh_count" in found.evaluation.reason


def test_every_scope_has_to_protect_its_data() -> None:
    shown = Shown()
    shown.property("glide.enforce_security_scope.x_one", "true")
    assert shown.verdict("acl.scope_app_data").verdict == "compliant"
    shown.property("glide.enforce_security_scope.x_two", "false")
    found = shown.verdict("acl.scope_app_data")
    assert (found.verdict, found.evaluation.actual) == ("deviating", [True, False])


@pytest.mark.parametrize(
    ("production", "value", "verdict"),
    [
        (True, "false", "deviating"),
        (True, "true", "compliant"),
        (False, "false", "not_applicable"),
        (None, "false", "unknown"),
    ],
)
def test_only_a_production_instance_has_to_be_marked_as_one(production: bool | None, value: str, verdict: str) -> None:
    shown = Shown()
    shown.property("glide.installation.production", value)
    assert shown.verdict("instance.production", production=production).verdict == verdict


def test_joins_matter_where_domains_are_separated() -> None:
    shown = Shown()
    shown.property("glide.sys.domain.include_domain_condition_on_join", "false")
    assert shown.verdict("acl.domain_join").verdict == "not_applicable"
    shown.belongs(BY_ID["acl.domain_join"])
    assert shown.verdict("acl.domain_join").verdict == "deviating"


@pytest.mark.parametrize(
    ("value", "roles", "scope", "write_class"),
    [
        ("120", "", "global", "ordinary"),
        ("120", "admin, security_admin", "global", "elevated"),
        ("120", "", "a" * 32, "scoped"),
    ],
)
def test_a_row_determines_the_write_class(value: str, roles: str, scope: str, write_class: str) -> None:
    shown = Shown()
    shown.property(TIMEOUT.name, value, write_roles=roles, sys_scope=scope)
    assert shown.verdict(TIMEOUT.id).write_class == write_class


@pytest.mark.parametrize(
    ("id", "write_class"),
    [
        ("csrf.token", "elevated"),
        ("acl.strict_updates", "locked"),
        ("plugin.mfa", "plugin"),
        ("auth.lockout_action", "table_row"),
        ("soap.guest_user", "ordinary"),
    ],
)
def test_without_a_row_the_catalogue_determines_the_write_class(id: str, write_class: str) -> None:
    assert Shown().verdict(id).write_class == write_class


# -- rules by themselves ----------------------------------------------------------------------------------------------

NUMBERS = st.integers(0, 10**9)


@given(actual=NUMBERS, limit=NUMBERS)
def test_limits_are_limits(actual: int, limit: int) -> None:
    text = f" {actual} "
    assert fulfils("integer", "le", text, limit) is (actual <= limit)
    assert fulfils("integer", "ge", text, limit) is (actual >= limit)
    assert fulfils("integer", "lt", text, limit) is (actual < limit)
    assert fulfils("integer", "eq", text, limit) is (actual == limit)
    assert fulfils("integer", "range_1_720", text, limit) is (1 <= actual <= min(limit, 720))


@given(text=st.text(max_size=8).filter(lambda text: not text.strip().lstrip("+-").isdigit()), limit=NUMBERS)
def test_what_is_no_number_never_keeps_a_limit(text: str, limit: int) -> None:
    for comparator in ("le", "ge", "lt", "eq", "range_1_720", "min_records"):
        assert not fulfils("integer", comparator, text, limit)


WORDS = st.sets(st.text("abcd_", min_size=1, max_size=3), max_size=5)


@given(actual=WORDS, wanted=WORDS)
def test_lists_are_sets(actual: set[str], wanted: set[str]) -> None:
    text, listed = f" {' , '.join(actual)} ,, ", tuple(wanted)
    assert fulfils("list", "eq", text, listed) is (actual == wanted)
    assert fulfils("list", "contains_all", text, listed) is (wanted <= actual)
    assert fulfils("list", "subset_of", text, listed) is (actual <= wanted)
    assert fulfils("list", "empty", text, "") is (not actual)
    assert fulfils("list", "not_empty", text, "") is bool(actual)


@given(wanted=st.booleans(), text=st.sampled_from(["true", "TRUE", " True ", "1", "false", "False", "0", "maybe"]))
def test_truth_has_no_case(wanted: bool, text: str) -> None:
    means = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    assert fulfils("boolean", "eq", text, wanted) is (means is wanted)


WRITABLE = [s for s in CATALOGUE if Target.of(s).value_to_write("") is not None]


@each(WRITABLE)
def test_what_would_be_written_is_as_recommended(setting: Setting) -> None:
    target = Target.of(setting)
    for before in (None, "", bad(setting), good(setting)):
        written = target.value_to_write(before)
        assert written is not None
        assert target.allows(written), (before, written)


@given(actual=st.integers(0, 200), override=st.integers(0, 200))
def test_a_stricter_value_is_never_loosened(actual: int, override: int) -> None:
    target = Target.of(TIMEOUT, override)
    assert target.allows(str(actual)) is (actual <= override)
    assert actual > override or target.allows(str(actual))


def test_asking_for_less_than_recommended_loosens_nothing() -> None:
    target = Target.of(BY_ID["auth.mfa_enabled"], False)
    assert target.allows("true")
    assert target.allows("false")


def _both() -> Selection:
    return select(ids=[TIMEOUT.id, COOKIE.id])


def _whole() -> Selection:
    return select("all")
