# SPDX-License-Identifier: GPL-3.0-or-later
"""The ServiceNow controls of Secure Score, joined with their scores and settings.

See docs/facts/microsoft_graph.md#secure-score, docs/facts/servicenow_hardening.md#secure-score-controls. The settings
of a control come from the hardening catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...engine.errors import InvalidInput
from ...hardening.catalogue import BY_ID, CATALOGUE, Setting
from ...hardening.catalogue.secure_score_points import MICROSOFT, POINTS
from ...hardening.evaluate import COMPLIANT, DEVIATING, UNKNOWN, fulfils
from ...transport.paged_list import checked_rows
from .control_profiles_api import state_of

SERVICE = "MDA_SNOW"
EXPLICIT_ROLES = "plugin.explicit_roles"
# Microsoft's titles (docs/facts/servicenow_hardening.md#secure-score-controls): they identify a control whose id
# differs from the exports.
TITLES = {
    "Enable multi-factor authentication": "authenticateMultifactor",
    "Enable enforcing JSONv2 requests with basic authorization": "authRequiredJson2",
    "Enable enforcing SOAP requests with basic authorization": "authRequiredSOAP",
    "Enable unload request authorization": "authRequiredUnl",
    "Enable script request authorization": "cauthRequiredScriptedProcessor",
    "Enable URL allow list for cross-origin iframe communication": "concourseOnmessageEnforceSameOrigin",
    "Enable Password Reset Policy Checks": "enablePasswordPolicy",
    "Enable high security plugin": "highSecurity",
    "Set default cache-control HTTP header value to private": "httpCacheControl",
    "Disable password-less authentication": "loginNoBlankPassword",
    "Enable Contextual Security: Role Management plugin": "roleManagement",
    "Set client-callable script includes to private": "scriptCcsiIsPublic",
    "Apply ACL validation to GlideAjax record access": "scriptSecureAjaxgliderecord",
    "Enable client generated scripts sandbox": "scriptUseSandbox",
    "Enable default deny with new ACL rules": "smDefaultMode",
    "Enable managing failed login attempts": "sncUserLockoutCheck",
    "Enable SOAP content type checking": "soapRequireContentTypeXml",
    "Enable SOAP request strict security": "soapStrictSecurity",
    "Activate security jump start (ACL rules) plugin": "systemSecurity",
    "Enable session activity timeout": "uiSessionTimeout",
    "Enable anti-CSRF token": "useCsrfToken",
    "Enable absolute session timeout": "userCookieMaxLifeSpanInDays",
}
# No export contains a control of this name, but Microsoft's page still lists it.
EXPLICIT_ROLES_TITLE = "explicit role"
BY_TITLE = {title.casefold(): f"{SERVICE}_{name}" for title, name in TITLES.items()}


@dataclass(frozen=True)
class Hosts:
    """Rows of `snow_hardening_info` by host."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]]

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> Hosts:
        """Return the hosts of option `settings`; raise `InvalidInput` for another format."""
        for host, rows in (settings or {}).items():
            usable = isinstance(rows, list) and all(isinstance(row, Mapping) and "verdict" in row for row in rows)
            if not usable:
                raise InvalidInput(
                    f"settings: {host} must be the list that snow_hardening_info returns as settings, with a verdict in each entry"
                )
        return cls(settings or {})

    def verdicts(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the verdict of each host on settings of which one is sufficient; hosts that did not check them are omitted."""
        found = {}
        for host, rows in self.rows.items():
            verdicts = [_verdict(row) for row in rows if row.get("id") in ids]
            if verdicts:
                found[host] = next((word for word in (COMPLIANT, UNKNOWN) if word in verdicts), verdicts[0])
        return found


def _verdict(row: Mapping[str, Any]) -> str:
    """Return the verdict on a setting by Microsoft's rules.

    Some are less strict than the hardening baseline, and how Microsoft rates a setting without a row is unknown.
    """
    verdict = str(row["verdict"])
    if verdict == COMPLIANT and "actual" in row and row["actual"] is None:
        return UNKNOWN
    rule = MICROSOFT.get(str(row.get("id")))
    if rule and verdict == DEVIATING and row.get("actual") is not None:
        comparator, wanted = rule
        return COMPLIANT if fulfils(BY_ID[str(row["id"])].type, comparator, str(row["actual"]), wanted) else DEVIATING
    return verdict


def settings_of(control: str, title: str = "") -> list[Setting]:
    """Return the settings of a control, found by its id, else by its title; any of them satisfies it."""
    known = control if control in POINTS else BY_TITLE.get(title.strip().casefold(), "")
    return [setting for setting in CATALOGUE if known and setting.secure_score_control == known]


def select_controls(profiles: Sequence[Mapping[str, Any]], service: str) -> tuple[list[Mapping[str, Any]], bool]:
    """Return the controls of a service, and whether those of ServiceNow had to be found by id and title.

    The name of the service comes from two exports (docs/facts/microsoft_graph.md#servicenow-controls).
    """
    found = [row for row in profiles if str(row.get("service") or "").casefold() == service.casefold()]
    if found or service.casefold() != SERVICE.casefold():
        return found, False
    found = [row for row in profiles if settings_of(str(row["id"]), str(row.get("title") or ""))]
    return found, bool(found)


def join_scores(
    profiles: Sequence[Mapping[str, Any]], score: Mapping[str, Any], hosts: Hosts
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the controls with their scores and settings, and the totals of the scores."""
    scored = checked_rows(score.get("controlScores") or [], "the control scores of the newest secure score")
    scores = {str(row.get("controlName")): row for row in scored}
    controls = [_control(profile, scores.get(str(profile["id"])), hosts) for profile in profiles]
    controls.sort(key=lambda control: (-(control["points_left"] or 0), control["id"]))
    return controls, _totals(controls, score)


def _control(profile: Mapping[str, Any], scored: Mapping[str, Any] | None, hosts: Hosts) -> dict[str, Any]:
    control, title = str(profile["id"]), str(profile.get("title") or "")
    settings = settings_of(control, title)
    state, comment = state_of(profile)
    points, max_points = _number((scored or {}).get("score")), _number(profile.get("maxScore"))
    return {
        "id": control,
        "title": title,
        "score": points,
        "max_score": max_points,
        "points_left": None if points is None or max_points is None else round(max(0.0, max_points - points), 2),
        "state": state,
        "comment": comment,
        "category": str(profile.get("controlCategory") or ""),
        "implementation_status": str((scored or {}).get("implementationStatus") or ""),
        "remediation": str(profile.get("remediation") or ""),
        "action_url": str(profile.get("actionUrl") or ""),
        "setting": _setting_as_result(settings[0]) if settings else None,
        "alternatives": [_setting_as_result(setting) for setting in settings[1:]],
        "instances": hosts.verdicts([setting.id for setting in settings]),
        "deprecated": bool(profile.get("deprecated")),
        "known": bool(settings),
    }


def _setting_as_result(setting: Setting) -> dict[str, Any]:
    """Return the setting that an instance must have to earn the points."""
    comparator, wanted = MICROSOFT.get(setting.id, (setting.comparator, setting.recommended))
    expected = list(wanted) if isinstance(wanted, tuple) else wanted
    return {
        "kind": setting.kind,
        "name": setting.name,
        "comparator": comparator,
        "expected": expected,
        "hardening_id": setting.id,
    }


def _totals(controls: Sequence[Mapping[str, Any]], score: Mapping[str, Any]) -> dict[str, Any]:
    counted = [control for control in controls if control["score"] is not None]
    return {
        "points": round(sum(control["score"] for control in counted), 2),
        "max_points": round(sum(control["max_score"] or 0 for control in counted), 2),
        "points_left": round(sum(control["points_left"] or 0 for control in counted), 2),
        "controls": len(controls),
        "scored_controls": len(counted),
        "tenant_points": _number(score.get("currentScore")),
        "tenant_max_points": _number(score.get("maxScore")),
        "created": str(score.get("createdDateTime") or ""),
    }


def summary(service: str, score: Mapping[str, Any], controls: Sequence[Mapping[str, Any]]) -> str:
    """Return the score in one sentence."""
    if not controls:
        return f"{service}: the tenant has no such controls"
    if not score["scored_controls"]:
        return f"{service}: {score['controls']} controls, none has a score yet"
    open_controls = sum(bool(control["points_left"]) for control in controls)
    return (
        f"{service}: {score['points']:g} of {score['max_points']:g} points, {score['points_left']:g} more available "
        f"from {open_controls} control{'' if open_controls == 1 else 's'}"
    )


def notes_of(controls: Sequence[Mapping[str, Any]], hosts: Hosts, service: str) -> list[str]:
    """Return notes on the numbers."""
    if service.casefold() != SERVICE.casefold():
        return []
    notes = []
    if controls and not any(control["score"] is not None for control in controls):
        notes.append("No control has a score yet: Microsoft needs up to 24 hours after an instance was connected.")
    listed = {control["id"] for control in controls}
    titles = {BY_TITLE.get(control["title"].strip().casefold()) for control in controls}
    gone = [control for control in POINTS if control not in listed and control not in titles]
    if controls and gone:
        notes.append(f"The tenant does not list {', '.join(gone)}, which the exports of 2024 and 2026 contain.")
    if not any(EXPLICIT_ROLES_TITLE in control["title"].casefold() for control in controls):
        notes.append(_explicit_roles(hosts))
    return notes


def _explicit_roles(hosts: Hosts) -> str:
    verdicts = hosts.verdicts([EXPLICIT_ROLES])
    hosts_found = ", ".join(f"{host} {verdict}" for host, verdict in verdicts.items())
    return (
        "Microsoft's page on ServiceNow still names 'Activate the explicit role plugin', but no control of Secure Score exists for it "
        f"any more: it earns no points. The hardening catalogue has it as {EXPLICIT_ROLES}{': ' + hosts_found if hosts_found else ''}."
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
