# SPDX-License-Identifier: GPL-3.0-or-later
"""From one connection entered manually to a contract for all others, and every reason to refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.filter.learn_contract import learn_contract
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.recorded_api.recording.learn import (
    learn,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.recorded_api.template import (
    find_placeholders,
    render,
    render_url,
)
from tests.unit.plugins.module_utils.recorded_api.recording.wizard_recordings import (
    API,
    CONNECTOR,
    COOKIE,
    DRAFT,
    OTHER,
    STARTED_MS,
    TYPED,
    XSRF,
    connect_body,
    connect_url,
    entry,
    har,
    wizard,
)

NEW = {"draftid": "another-draft", "now_ms": 42, "uuid": "another-uuid"}


def operations(*entries: dict[str, Any], typed: dict[str, str] = TYPED) -> dict[str, Any]:
    found = learn(har(*entries), "acme", typed).contract["operations"]
    assert isinstance(found, dict)
    return found


def steps(create: dict[str, Any]) -> list[dict[str, Any]]:
    return [create, *create["then"]]


def values_of(typed: dict[str, str]) -> dict[str, Any]:
    return {**typed, "instance_host": typed["instance_url"].partition("://")[2], **NEW}


def expected(typed: dict[str, str]) -> dict[str, Any]:
    return {**connect_body(typed), "draft": "another-draft", "clientTime": 42, "trace": "another-uuid"}


# -- what is learned --------------------------------------------------------------------------------------------------


def test_the_contract_of_one_instance_makes_the_request_of_another() -> None:
    connect = steps(operations(*wizard())["create"])[1]
    assert render(connect["body"], values_of(OTHER)) == expected(OTHER)
    assert render_url(connect["url"], values_of(OTHER)) == connect_url(OTHER)


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=3, max_size=20)


@given(st.fixed_dictionaries(dict.fromkeys(("name", "username", "password", "client_id", "client_secret"), WORDS)))
def test_values_of_any_kind_are_replaced_or_refused_but_never_kept(words: dict[str, str]) -> None:
    typed = {**words, "instance_url": "https://acme-dev.service-now.com"}
    assume(all(value.strip() == value for value in words.values()))
    try:
        create = operations(*wizard(typed), typed=typed)["create"]
    except InvalidInput:
        return
    assert render(steps(create)[1]["body"], values_of(OTHER)) == expected(OTHER)


def test_dollar_signs_of_the_portal_stay_dollar_signs() -> None:
    first, start, connect, *rest = wizard()
    body = {**connect_body(TYPED), "price": "$5 for ${name}", "nested": json.dumps({"filter": "$filter"})}
    connect["request"]["postData"]["text"] = json.dumps(body)
    template = steps(operations(first, start, connect, *rest)["create"])[1]["body"]
    assert (template["price"], template["nested"]) == ("$$5 for $${name}", '{"filter": "$$filter"}')
    assert render(template, values_of(TYPED))["price"] == "$5 for ${name}"


def test_what_answers_bring_is_passed_on() -> None:
    start, connect, confirm = steps(operations(*wizard())["create"])
    assert start["expect"]["fields"] == {"draftid": "draftId"}
    assert connect["body"]["draft"] == "${draftid}"
    assert connect["expect"]["fields"] == {"id": "result.connector._id"}
    assert confirm["url"] == f"{API}/wizard/confirm/${{id}}/"
    assert confirm["expect"]["status"] == 200


def test_what_is_new_each_time_stays_new() -> None:
    connect = steps(operations(*wizard())["create"])[1]
    assert (connect["body"]["clientTime"], connect["body"]["trace"]) == ("${now_ms}", "${uuid}")


def test_nothing_of_the_session_and_nothing_typed_is_kept() -> None:
    learned = learn_contract(har(*wizard()), "acme", TYPED)
    text = json.dumps([learned["contract"], learned["summary"]]) + learned["text"]
    secrets = [COOKIE, COOKIE.partition("=")[2], XSRF, "r4ndom-1234567890", DRAFT, CONNECTOR, str(STARTED_MS + 1500)]
    for secret in [*TYPED.values(), *secrets]:
        assert secret not in text.replace(f"confirm/{CONNECTOR}", "")
    used = set(find_placeholders(learned["contract"]["operations"]))
    assert used >= {"portal_cookie", "portal_xsrf_token", *TYPED}


def test_the_list_is_recorded_page_by_page() -> None:
    listing = operations(*wizard())["list"]
    assert listing["body"]["skip"] == "${skip}"
    assert listing["expect"]["fields"] == {"connectors": "data", "has_next": "hasNext"}


def test_switching_off_and_removing_are_recorded_where_the_recording_continues() -> None:
    more = [
        entry("POST", f"{API}/wizard/{CONNECTOR}/switch/", {"desired": "DISABLED"}, {"ok": True}, second=6),
        entry("DELETE", f"{API}/wizard/{CONNECTOR}/", None, {"ok": True}, second=7),
    ]
    found = operations(*wizard(), *more)
    assert found["disable"]["url"] == f"{API}/wizard/${{id}}/switch/"
    assert (found["delete"]["method"], found["delete"]["url"]) == ("DELETE", f"{API}/wizard/${{id}}/")
    assert len(steps(found["create"])) == 3


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        (f"{API}/wizard/{CONNECTOR}/posture/", {"trace": {"n": 1}, "secureScore": False}, "secureScore"),
        (f"{API}/wizard/{CONNECTOR}/settings/", {"isSSPMEnabled": True, "other": True}, "isSSPMEnabled"),
        (f"{API}/wizard/{CONNECTOR}/sspm/", {"enabled": True}, "enabled"),
    ],
)
def test_the_switch_of_secure_score_is_recorded(path: str, body: dict[str, Any], key: str) -> None:
    found = operations(*wizard(), *edited(), entry("PATCH", path, body, {"ok": True}, second=9))
    assert found["secure_score"]["body"] == {**body, key: "${secure_score}"}
    assert found["secure_score"]["url"] == path.replace(CONNECTOR, "${id}")
    assert len(steps(found["update"])) == 2, "it is no part of entering the details"
    assert render(found["secure_score"]["body"], {"secure_score": True})[key] is True


def edited(second: int = 6) -> list[dict[str, Any]]:
    body = {name: value for name, value in connect_body(TYPED).items() if name != "draft"}
    return [
        entry("PUT", f"{API}/wizard/{CONNECTOR}/?again=1", body, {"ok": True}, second=second),
        entry("POST", f"{API}/wizard/confirm/{CONNECTOR}/", {"accepted": True}, {"ok": True}, second=second + 1),
    ]


def test_entering_the_details_again_is_recorded_where_the_recording_continues() -> None:
    off = entry("POST", f"{API}/wizard/{CONNECTOR}/switch/", {"desired": "DISABLED"}, {"ok": True}, second=8)
    found = operations(*wizard(), *edited(), off, *edited(9))
    update = steps(found["update"])
    assert [step["method"] for step in update] == ["PUT", "POST"]
    assert update[0]["url"] == f"{API}/wizard/${{id}}/?again=1"
    values = {**values_of(OTHER), "id": "another-id"}
    reported = render(update[0]["body"], values)
    assert {name: reported[name] for name in ("auth", "secret", "settings")} == {
        name: expected(OTHER)[name] for name in ("auth", "secret", "settings")
    }
    assert update[1]["url"] == f"{API}/wizard/confirm/${{id}}/"
    assert found["disable"]["body"] == {"desired": "DISABLED"}
    assert len(steps(found["create"])) == 3


def test_of_repeated_attempts_the_one_that_succeeded_counts() -> None:
    first, start, connect, *rest = wizard()
    failed = entry("POST", connect_url(TYPED), connect_body(TYPED), {"error": "no"}, 400, 2)
    assert len(steps(operations(first, start, failed, connect, *rest)["create"])) == 3


def test_forms_are_recorded() -> None:
    text = "n=Acme+development&to=https%3A%2F%2Facme-dev.service-now.com"
    one = entry("POST", f"{API}/connect", {}, {"id": CONNECTOR})
    one["request"]["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": text}
    typed = {name: TYPED[name] for name in ("name", "instance_url")}
    assert operations(one, typed=typed)["create"]["body"] == {"$form": {"n": "${name}", "to": "${instance_url}"}}


def test_a_slash_at_the_end_of_the_address_makes_no_difference() -> None:
    typed = {**TYPED, "instance_url": "https://ACME-dev.service-now.com/"}
    assert "create" in operations(*wizard(), typed=typed)


# -- what is refused --------------------------------------------------------------------------------------------------


def refusal(text: str, typed: dict[str, str] = TYPED) -> str:
    with pytest.raises(InvalidInput) as caught:
        learn(text, "acme", typed)
    message = str(caught.value)
    assert not any(secret in message for secret in (TYPED["password"], TYPED["client_secret"], COOKIE, XSRF))
    return message


@pytest.mark.parametrize("text", ["", "no JSON", "{}", '{"log": {}}', '{"log": {"entries": 1}}', "[]"])
def test_something_else_than_a_recording_is_reported(text: str) -> None:
    assert "not a HAR file: log.entries is missing" in refusal(text)


def test_a_recording_without_the_wizard_is_reported() -> None:
    message = refusal(har(wizard()[0], wizard()[4]))
    assert "does not show the wizard: of its 2 requests, 1 can change something" in message


def test_the_wizard_of_another_app_is_reported() -> None:
    assert "connection of another app (10489); ServiceNow is 14509" in refusal(har(*wizard(app=10489)))


def test_a_value_that_was_not_found_is_named() -> None:
    assert refusal(har(*wizard()), {**TYPED, "client_secret": "mistyped-here"}).startswith("client_secret: not found")


def test_two_equal_values_cannot_be_distinguished() -> None:
    assert "name and username have the same value" in refusal(har(*wizard()), {**TYPED, "username": TYPED["name"]})


def test_a_value_that_was_there_before_is_ambiguous() -> None:
    typed = {**TYPED, "name": "ServiceNow"}
    assert "name is ambiguous: its value occurred" in refusal(har(*wizard(typed)), typed)


def test_a_short_value_is_refused() -> None:
    assert "name: too short" in refusal(har(*wizard()), {**TYPED, "name": "ab"})


@pytest.mark.parametrize("missing", ["name", "instance_url"])
def test_a_contract_for_one_instance_alone_is_refused(missing: str) -> None:
    typed = {name: value for name, value in TYPED.items() if name != missing}
    assert f"lacks {missing}" in refusal(har(*wizard()), typed)


def test_a_connection_that_the_portal_refused_is_reported() -> None:
    assert "the portal refused every request of the wizard (status 400)" in refusal(har(*wizard(status=400)))


def test_a_body_that_a_contract_cannot_express_is_reported() -> None:
    one = entry("POST", f"{API}/connect", {}, {"id": CONNECTOR})
    one["request"]["postData"] = {"mimeType": "multipart/form-data", "text": "--x\r\n" + "\r\n".join(TYPED.values())}
    assert "POST /apiproxy/mcas/cas/api/v1/connect sends a body that a contract cannot express" in refusal(har(one))


def test_a_token_of_the_session_in_a_body_is_not_kept() -> None:
    first, start, connect, *rest = wizard()
    body = {**connect_body(TYPED), "echo": COOKIE.partition("=")[2]}
    connect["request"]["postData"]["text"] = json.dumps(body)
    assert "carries a cookie or token of the session" in refusal(har(first, start, connect, *rest))


def test_a_value_left_in_a_form_that_is_not_understood_is_refused() -> None:
    first, start, connect, *rest = wizard()
    body = {**connect_body(TYPED), "again": f"x{TYPED['client_secret']}x"}
    connect["request"]["postData"]["text"] = json.dumps(body)
    assert "also sends client_secret in an unknown encoding" in refusal(har(first, start, connect, *rest))


def test_an_edit_after_the_connection_is_no_part_of_connecting() -> None:
    more = [
        entry("PUT", f"{API}/wizard/connect/{CONNECTOR}/", connect_body(TYPED), {"ok": True}, second=6),
        entry("POST", f"{API}/wizard/confirm/{CONNECTOR}/", {"accepted": True}, {"ok": True}, second=7),
    ]
    assert operations(*wizard(), *more) == operations(*wizard())


# -- values in several encodings --------------------------------------------------------------------------------------


def inner(typed: dict[str, str]) -> dict[str, str]:
    return {"user": typed["username"], "pw": typed["password"], "id": typed["client_id"], "key": typed["client_secret"]}


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def unpadded(text: str) -> str:
    """Return a text in base64 that would have padding, without it; blanks at the end of JSON mean nothing."""
    blanks = " " * ((1 - len(text.encode())) % 3) if text.endswith("}") else ""
    return in_base64(text + blanks).rstrip("=")


NESTED: dict[str, Callable[[dict[str, str]], str]] = {
    "JSON in base64": lambda typed: in_base64(json.dumps(inner(typed))),
    "indented JSON in base64": lambda typed: in_base64(json.dumps(inner(typed), indent=2)),
    "JSON in base64 twice": lambda typed: in_base64(in_base64(json.dumps(inner(typed)))),
    "JSON in base64 for URLs": lambda typed: base64.urlsafe_b64encode(json.dumps(inner(typed)).encode()).decode(),
    "JSON in base64 without padding": lambda typed: unpadded(json.dumps(inner(typed))),
    "JSON in base64 without padding twice": lambda typed: unpadded(unpadded(json.dumps(inner(typed)))),
    "JSON in a URL": lambda typed: quote(json.dumps(inner(typed))),
    "JSON in JSON": lambda typed: json.dumps({"y": json.dumps({"z": json.dumps(inner(typed))})}),
    "a form": lambda typed: urlencode(inner(typed)),
    "a form in base64": lambda typed: in_base64(urlencode(inner(typed))),
}


def nested(kind: str, typed: dict[str, str]) -> dict[str, str]:
    return {"label": typed["name"], "to": typed["instance_url"], "rest": NESTED[kind](typed)}


def meaning(value: Any) -> Any:
    """Return a value with all that is encoded in it decoded: the layout of JSON may change."""
    if isinstance(value, dict):
        return {key: meaning(item) for key, item in value.items()}
    decoders: list[Callable[[str], Any]] = [
        json.loads,
        lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode(),
    ]
    decoders += [
        lambda text: unquote(text) if "%" in text else text,
        lambda text: dict(parse_qsl(text, strict_parsing=True)),
    ]
    for decode in decoders if isinstance(value, str) else []:
        with suppress(ValueError):
            found = decode(value)
            if found != value:
                return meaning(found)
    return value


@pytest.mark.parametrize("is_form", [False, True], ids=["JSON", "form"])
@pytest.mark.parametrize("kind", NESTED)
def test_values_are_found_below_several_encodings(kind: str, is_form: bool) -> None:
    def sent(typed: dict[str, str]) -> dict[str, Any]:
        body = nested(kind, typed)
        return {"data": json.dumps(body)} if is_form else body

    connect = entry("POST", f"{API}/wizard/connect/", sent(TYPED), {"id": CONNECTOR})
    if is_form:
        connect["request"]["postData"] = {
            "mimeType": "application/x-www-form-urlencoded",
            "text": urlencode(sent(TYPED)),
        }
    create = operations(connect)["create"]
    rendered = render(create["body"], values_of(OTHER))
    assert meaning(dict(parse_qsl(rendered)) if is_form else rendered) == meaning(sent(OTHER))
    assert TYPED["password"] not in json.dumps(create)


def test_a_value_below_several_encodings_that_was_there_before_is_ambiguous() -> None:
    before = entry("GET", f"{API}/apps/", None, {"sample": in_base64(json.dumps({"of": TYPED["username"]}))}, second=0)
    connect = entry("POST", f"{API}/wizard/connect/", nested("JSON in base64", TYPED), {"id": CONNECTOR}, second=1)
    with pytest.raises(InvalidInput, match="username is ambiguous"):
        operations(before, connect)


def policy_recording(**more: Any) -> str:
    """Return a recording of a policy's creation: the portal lists policies with a search, then posts the new one."""
    body = {"name": "Recorded policy 4711", "severity": "LOW", "appId": [14509], **more}
    return har(
        entry("POST", f"{API}/policies/", {"filters": {"type": {"eq": ["AUDIT"]}}}, {"data": []}, second=1),
        entry("POST", f"{API}/policy/activity/", body, {"_id": "665f1c2e9d3b4a7788990011"}, second=2),
        entry("POST", f"{API}/policies/", {"filters": {"name": {"contains": body["name"]}}}, {"data": []}, second=3),
    )


def test_a_policy_is_learned_with_its_name_only() -> None:
    contract = learn(policy_recording(), "mass", {"name": "Recorded policy 4711"}, "mda_policy").contract
    create = contract["operations"]["create"]
    assert (contract["target"], create["url"]) == ("mda_policy", f"{API}/policy/activity/")
    assert create["body"] == {"name": "${name}", "severity": "LOW", "appId": [14509]}
    assert create["expect"] == {"status": 200, "fields": {"id": "_id"}}


@pytest.mark.parametrize(
    ("values", "target", "words"),
    [
        ({"name": "Another name"}, "mda_policy", "does not show the wizard"),
        ({}, "mda_policy", "learn_contract_values accepts name; not nothing"),
        ({"name": "Recorded policy 4711", "username": "svc"}, "mda_policy", "accepts name; not username"),
        (
            {"name": "Recorded policy 4711"},
            "mda_policies",
            "must be mda_connector, mda_policy or msem_connector, not 'mda_policies'",
        ),
        ({"name": "Recorded policy 4711"}, "mda_connector", "lacks instance_url"),
    ],
)
def test_a_policy_that_cannot_be_learned_says_why(values: dict[str, str], target: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        learn(policy_recording(), "mass", values, target)


def test_a_policy_about_another_app_is_refused() -> None:
    with pytest.raises(InvalidInput, match="shows the policy of another app"):
        learn(policy_recording(appId=11161), "mass", {"name": "Recorded policy 4711"}, "mda_policy")
