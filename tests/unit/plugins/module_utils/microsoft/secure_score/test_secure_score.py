# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure Score: the controls with what is behind them, and their marks.

See docs/facts/microsoft_graph.md#secure-score, docs/facts/servicenow_hardening.md#secure-score-controls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput, Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.catalogue.secure_score_points import (
    POINTS,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.secure_score.scores import (
    TITLES,
    settings_of,
)
from ansible_collections.secops.servicenow_defender.plugins.modules import (
    graph_secure_score_controls,
    graph_secure_score_info,
)
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer

PROFILES = "/v1.0/security/secureScoreControlProfiles"
TIMEOUT, COOKIE, LOCKOUT = (
    f"MDA_SNOW_{name}" for name in ("uiSessionTimeout", "userCookieMaxLifeSpanInDays", "sncUserLockoutCheck")
)
Runner = Callable[..., tuple[dict[str, Any], list[str]]]


class Score:
    """Plays the two lists, and marks controls."""

    def __init__(self, server: Loopback, *controls: str, service: str = "MDA_SNOW") -> None:
        self.profiles = [self.profile(control, service=service) for control in controls]
        self.profiles.append(self.profile("AdminMFAV2", service="AzureAD"))
        self.scores: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.keeps = True
        server.answers_by(self._answer)

    @staticmethod
    def profile(control: str, **values: Any) -> dict[str, Any]:
        return {"id": control, "title": f"About {control}", "maxScore": 4.0, "controlStateUpdates": [], **values}

    def scored(self, day: str, **points: float) -> None:
        rows = [{"controlName": f"MDA_SNOW_{name}", "score": score} for name, score in points.items()]
        self.scores.append(
            {"createdDateTime": f"{day}T00:00:00Z", "controlScores": rows, "currentScore": 30.5, "maxScore": 90}
        )

    def _answer(self, request: Received) -> Reply:
        if request.path.endswith("/secureScores"):
            return answer({"value": self.scores})
        if request.method == "GET":
            return answer({"value": self.profiles})
        self.bodies.append(request.json)
        self.headers.append(request.headers)
        row = next(row for row in self.profiles if request.path == f"{PROFILES}/{row['id']}")
        if self.keeps:
            moment = f"2026-11-21T10:00:{len(self.bodies):02}Z"
            update = {"state": request.json["state"], "comment": request.json.get("comment"), "updatedDateTime": moment}
            row["controlStateUpdates"].insert(0, update)
        return answer(row)


def runner(module: Any, server: Loopback) -> Runner:
    def run(check_mode: bool = False, **given: Any) -> tuple[dict[str, Any], list[str]]:
        options = {"azure_graph_url": server.url, "azure_access_token": "t0ken-text", "retries": 0, **given}
        checked = ArgumentSpecValidator(module.SPEC.argument_spec).validate(options)
        assert not checked.error_messages
        context = TaskContext(check_mode=check_mode)
        return module.run(checked.validated_parameters, context).as_dict(with_diff=True), context.warnings

    return run


@pytest.fixture
def info(server: Loopback) -> Runner:
    """Run graph_secure_score_info."""
    return runner(graph_secure_score_info, server)


@pytest.fixture
def mark(server: Loopback) -> Runner:
    """Run graph_secure_score_controls with the controls given."""
    run = runner(graph_secure_score_controls, server)

    def marked(*controls: dict[str, Any], **given: Any) -> tuple[dict[str, Any], list[str]]:
        return run(controls=list(controls), **given)

    return marked


# -- reading ----------------------------------------------------------------------------------------------------------


def test_every_control_of_the_exports_has_a_title_and_a_setting() -> None:
    assert {f"MDA_SNOW_{name}" for name in TITLES.values()} == set(POINTS)
    assert all(settings_of(control) == settings_of("renamed", title) != [] for title, control in titled())


def titled() -> list[tuple[str, str]]:
    return [(title, f"MDA_SNOW_{name}") for title, name in TITLES.items()]


def test_controls_come_with_the_newest_score_and_the_setting_behind_them(server: Loopback, info: Runner) -> None:
    score = Score(server, TIMEOUT, LOCKOUT, service="mda_snow")
    score.scored("2026-11-20", uiSessionTimeout=4)
    score.scored("2026-11-21", uiSessionTimeout=1.5, sncUserLockoutCheck=4)
    result, warnings = info()
    assert [control["id"] for control in result["controls"]] == [TIMEOUT, LOCKOUT]
    first, second = result["controls"]
    assert (first["score"], first["points_left"], first["state"], first["known"]) == (1.5, 2.5, "Default", True)
    assert first["setting"] == {
        "kind": "property",
        "name": "glide.ui.session_timeout",
        "comparator": "le",
        "expected": 60,
        "hardening_id": "session.idle_timeout",
    }
    assert [setting["hardening_id"] for setting in (second["setting"], *second["alternatives"])] == [
        "auth.lockout_action",
        "auth.lockout_action_unlock",
    ]
    assert result["score"]["points"] == 5.5
    assert result["score"]["created"] == "2026-11-21T00:00:00Z"
    assert result["msg"] == "MDA_SNOW: 5.5 of 8 points, 2.5 more available from 1 control"
    assert not warnings


def test_what_costs_points_is_reported_for_every_instance(server: Loopback, info: Runner) -> None:
    Score(server, COOKIE, LOCKOUT)
    settings = {
        "prod": [
            {"id": "session.remember_me_max_days", "verdict": "deviating", "actual": "90"},
            {"id": "auth.lockout_action", "verdict": "deviating", "actual": "false"},
            {"id": "auth.lockout_action_unlock", "verdict": "compliant", "actual": "true"},
            {"id": "plugin.explicit_roles", "verdict": "deviating", "actual": "inactive"},
        ],
        "test": [{"id": "session.remember_me_max_days", "verdict": "deviating", "actual": 180}],
    }
    result, _ = info(settings=settings)
    instances = {control["id"]: control["instances"] for control in result["controls"]}
    # Microsoft accepts less than 180 days, the hardening baseline requires 30.
    assert instances == {COOKIE: {"prod": "compliant", "test": "deviating"}, LOCKOUT: {"prod": "compliant"}}
    assert "plugin.explicit_roles: prod deviating." in result["notes"][-1]


def test_what_is_right_without_a_row_may_win_points_or_not(server: Loopback, info: Runner) -> None:
    Score(server, TIMEOUT)
    rows = [{"id": "session.idle_timeout", "verdict": "compliant", "actual": None}]
    assert info(settings={"prod": rows})[0]["controls"][0]["instances"] == {"prod": "unknown"}


def test_explicit_roles_are_named_although_no_control_is_left(server: Loopback, info: Runner) -> None:
    score = Score(server, *POINTS)
    score.scored("2026-11-21", uiSessionTimeout=4)
    assert info()[0]["notes"] == [
        "Microsoft's page on ServiceNow still names 'Activate the explicit role plugin', but no control of Secure Score exists for it "
        "any more: it earns no points. The hardening catalogue has it as plugin.explicit_roles."
    ]
    score.profiles.append(score.profile("MDA_SNOW_x", service="MDA_SNOW", title="Activate the explicit role plugin"))
    assert info()[0]["notes"] == []


def test_without_a_score_nothing_is_made_up(server: Loopback, info: Runner) -> None:
    Score(server, TIMEOUT)
    result, _ = info()
    control = result["controls"][0]
    assert (control["score"], control["points_left"], control["max_score"]) == (None, None, 4.0)
    assert result["msg"] == "MDA_SNOW: 1 controls, none has a score yet"
    assert result["score"]["tenant_points"] is None
    assert "No control has a score yet" in result["notes"][0]


def test_controls_of_an_unknown_service_are_found_by_id_and_title(server: Loopback, info: Runner) -> None:
    score = Score(server, TIMEOUT, "Other_1", "Other_2", service="ServiceNow")
    score.profiles[1]["title"] = "enable SOAP content type checking"
    result, warnings = info()
    assert {control["id"] for control in result["controls"]} == {TIMEOUT, "Other_1"}
    assert "no control has the service MDA_SNOW" in warnings[0]
    named, _ = info(service="servicenow")
    assert {control["id"]: control["known"] for control in named["controls"]} == {
        TIMEOUT: True, "Other_1": True, "Other_2": False,
    }  # fmt: skip


def test_settings_of_another_shape_are_refused(server: Loopback, info: Runner) -> None:
    with pytest.raises(InvalidInput, match="settings: prod must be the list that snow_hardening_info returns"):
        info(settings={"prod": {"settings": []}})
    assert not server.received


def test_a_missing_permission_is_named(server: Loopback, info: Runner) -> None:
    server.answers(answer({"error": {"code": "Forbidden", "message": "Missing application roles"}}, 403))
    with pytest.raises(Refused, match=r"permission SecurityEvents\.Read\.All of Microsoft Graph\. Grant it"):
        info()


# -- marking ----------------------------------------------------------------------------------------------------------


def test_a_control_is_marked_once_with_its_comment(server: Loopback, mark: Runner) -> None:
    score = Score(server, TIMEOUT, COOKIE)
    wanted = {"id": TIMEOUT, "state": "ThirdParty", "comment": "by the proxy"}
    predicted, _ = mark(wanted, check_mode=True)
    assert not score.bodies
    done, _ = mark(wanted)
    assert {**predicted, "msg": done["msg"]} == done
    assert done["results"][0]["status"] == "changed"
    assert score.bodies == [
        {
            "state": "ThirdParty",
            "comment": "by the proxy",
            "vendorInformation": {
                "vendor": "Microsoft",
                "provider": "SecureScore",
                "providerVersion": None,
                "subProvider": None,
            },
        }
    ]
    assert score.headers[0]["prefer"] == "return=representation"
    assert mark(wanted)[0]["changed"] is False
    again, _ = mark({**wanted, "comment": "by the other proxy"})
    assert [(entry["field"], entry["before"]) for entry in again["drift"]] == [("comment", "by the proxy")]


def test_marks_are_compared_by_the_newest_update_in_any_spelling(server: Loopback, mark: Runner) -> None:
    score = Score(server, TIMEOUT)
    score.profiles[0]["controlStateUpdates"] = [
        {"state": "ignored", "comment": "", "updatedDateTime": "2026-03-01T00:00:00Z"},
        {"state": "thirdParty", "comment": "old", "updatedDateTime": "2026-02-01T00:00:00Z"},
    ]
    assert mark({"id": TIMEOUT, "state": "Ignored"})[0]["changed"] is False
    result, _ = mark({"id": TIMEOUT, "state": "Default"}, check_mode=True)
    assert result["drift"] == [
        {"object": f"control {TIMEOUT}", "field": "state", "before": "Ignored", "after": "Default"}
    ]


def test_unknown_controls_are_refused_with_similar_ones(server: Loopback, mark: Runner) -> None:
    score = Score(server, TIMEOUT, COOKIE)
    score.profiles[1]["title"] = "Enable absolute session timeout"
    with pytest.raises(InvalidInput, match=f"'uiSessionTimeout' \\(did you mean {TIMEOUT}"):
        mark({"id": COOKIE, "state": "Ignored"}, {"id": "uiSessionTimeout", "state": "Ignored"})
    with pytest.raises(InvalidInput, match=f"did you mean {COOKIE}"):
        mark({"id": "Enable absolute session timeout", "state": "Ignored"})
    with pytest.raises(InvalidInput, match=f"controls lists '{TIMEOUT}' twice"):
        mark({"id": TIMEOUT, "state": "Ignored"}, {"id": TIMEOUT, "state": "Default"})
    assert not score.bodies


def test_a_mark_that_is_not_kept_is_an_error(server: Loopback, mark: Runner) -> None:
    Score(server, TIMEOUT).keeps = False
    with pytest.raises(Exception, match="accepted the update but returned a different value"):
        mark({"id": TIMEOUT, "state": "Reviewed"})


def test_a_deprecated_control_is_warned_of(server: Loopback, mark: Runner) -> None:
    Score(server, TIMEOUT).profiles[0]["deprecated"] = True
    assert "is deprecated" in mark({"id": TIMEOUT, "state": "Reviewed"})[1][0]
