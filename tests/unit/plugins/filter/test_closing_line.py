# SPDX-License-Identifier: GPL-3.0-or-later
"""The one line that a playbook prints of each instance."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.filter.closing_line import FilterModule, closing_line

PREFLIGHT = {"instance": {"release": {"family": "zurich", "patch": "patch2"}}, "problems": []}
LIFESPAN = {"object": "oauth_application A", "field": "access_token_lifespan", "before": "300", "after": "3600"}
CONNECTOR = {"evidence": ["the list of connectors"], "status": "connected", "days_left": 89, "message": ""}
SETTING = {"object": "setting session.idle_timeout", "field": "glide.ui.session_timeout", "before": "9", "after": "6"}
POSTURE = {
    "posture": {
        "settings": {"compliant": 19, "deviating": 4, "unknown": 0, "not_applicable": 0},
        "secure_score": {"controls": 22, "compliant": 18, "points": 96, "unknown_points": 0, "possible_points": 114},
    }
}
ACLS = [
    {"object": f"table_acl t{n} (r)", "field": "read", "before": "needs_elevation", "after": "granted"}
    for n in range(13)
]


def state(drift: list[dict[str, Any]], status: str = "changed", steps: int = 0) -> dict[str, Any]:
    return {
        "drift": drift,
        "results": [{"object": entry["object"], "status": status} for entry in drift],
        "manual_steps": [
            {"title": f"step {n}", "where": "Portal > New", "values": {"Name": "x"}, "secret_values": ["Password"]}
            for n in range(steps)
        ],
    }


def whole(drift: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what snow_drift_info says: connection and settings in one result."""
    return {
        "drift": drift,
        "results": [{"object": each["object"], "status": "changed"} for each in (LIFESPAN, SETTING)],
    }


@pytest.mark.parametrize(
    ("results", "check_mode", "line"),
    [
        ([PREFLIGHT, state([])], False, "Zurich patch2; as described"),
        ([state([LIFESPAN])], True, "1 deviation: oauth_application A (access_token_lifespan)"),
        (
            [state([LIFESPAN])],
            False,
            "now as described; 1 deviation corrected: oauth_application A (access_token_lifespan)",
        ),
        (
            [state(ACLS, "needs_elevation", 1)],
            False,
            "13 deviations: 13 x table_acl; 1 manual step open: "
            "step 0 (Portal > New: Name = x, Password = (your secret))",
        ),
        (
            [{"drift": [], "results": [{"object": "table_acl t (r)", "status": "unknown"}]}],
            False,
            "as described; unknown: table_acl t (r)",
        ),
        ([{"verified": True, "expires_in": 1799}], False, "token works (1799 s)"),
        ([{"verified": False}], False, "token refused"),
        (
            [{"drift": [], "results": [{"name": "acme-dev", "days_left": 89}, {"name": "acme-test", "days_left": 9}]}],
            False,
            "as described; first refresh token ends in 9 days (acme-test)",
        ),
        ([CONNECTOR], False, "connector connected, refresh token ends in 89 days"),
        ([CONNECTOR | {"status": "error", "message": "403 Forbidden"}], False, "connector error: 403 Forbidden"),
        (
            [CONNECTOR | {"status": "absent", "manual_steps": [{"title": "Connect acme-dev"}]}],
            False,
            "connector absent; 1 manual step open: Connect acme-dev",
        ),
        (
            [{"instance": {}, "problems": [{"id": "oauth_inactive"}]}],
            False,
            "release unknown; 1 problem: oauth_inactive",
        ),
        ([{"skipped": True, "drift": [LIFESPAN]}, {}], False, "nothing was looked at"),
        (
            [{**PREFLIGHT, **POSTURE, **whole(drift=[LIFESPAN, SETTING])}],
            True,
            "Zurich patch2; 1 deviation: oauth_application A (access_token_lifespan); "
            "posture 18/22 Secure Score settings, 96 of 114 points; "
            "1 deviation: setting session.idle_timeout (glide.ui.session_timeout)",
        ),
        (
            [{**PREFLIGHT, **POSTURE, **whole(drift=[])}],
            True,
            "Zurich patch2; as described; posture 18/22 Secure Score settings, 96 of 114 points",
        ),
        ([POSTURE], False, "posture 18/22 Secure Score settings, 96 of 114 points"),
        (
            [{"posture": {"settings": {"compliant": 3, "deviating": 1, "unknown": 1, "not_applicable": 2}}}],
            False,
            "posture 3/5 settings as recommended",
        ),
        (
            [{**POSTURE, **state([SETTING]), "writes_left": 4}],
            False,
            "posture 18/22 Secure Score settings, 96 of 114 points; "
            "1 deviation corrected: setting session.idle_timeout (glide.ui.session_timeout); 4 settings left for the next run",
        ),
        (
            [{**POSTURE, **state([SETTING], "withheld")}],
            False,
            "posture 18/22 Secure Score settings, 96 of 114 points; "
            "1 deviation: setting session.idle_timeout (glide.ui.session_timeout); 1 withheld",
        ),
        (
            [state([], steps=6)],
            False,
            "as described; 6 manual steps open: "
            + " / ".join(f"step {n} (Portal > New: Name = x, Password = (your secret))" for n in range(5))
            + " / ...",
        ),
    ],
)
def test_the_line_says_what_is_true_now(results: list[Any], check_mode: bool, line: str) -> None:
    assert closing_line(results, check_mode=check_mode) == line


def test_the_filter_is_offered_to_playbooks() -> None:
    assert FilterModule().filters() == {"closing_line": closing_line}


def test_actions_on_users_name_everybody() -> None:
    def outcome(name: str, action: str, status: str) -> dict[str, Any]:
        return {"object": f"user {name}: {action}", "user_principal_name": name, "action": action, "status": status}

    result = {
        "drift": [],
        "results": [
            outcome("ann", "suspend", "changed"),
            outcome("bob", "suspend", "changed"),
            outcome("cyd", "suspend", "ok"),
            outcome("root", "suspend", "protected"),
        ],
    }
    rest = "suspend was so already of cyd; suspend not done, protected: root"
    assert closing_line([result]) == f"suspend done to ann, bob; {rest}"
    assert closing_line([result], check_mode=True) == f"suspend would be done to ann, bob; {rest}"
