# SPDX-License-Identifier: GPL-3.0-or-later
"""Contracts: what is accepted, how templates are filled in, what is sent and when it stops."""

from __future__ import annotations

import json
import stat
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import (
    EngineError,
    InvalidInput,
    Refused,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps import CloudAppsClient
from ansible_collections.secops.servicenow_defender.plugins.module_utils.recorded_api.contract import OPERATIONS, parse
from ansible_collections.secops.servicenow_defender.plugins.module_utils.recorded_api.replay import Replay
from ansible_collections.secops.servicenow_defender.plugins.module_utils.recorded_api.template import (
    escape,
    placeholder,
    render,
    render_url,
    unescape,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    SignInFailed,
    WriteInCheckMode,
)
from tests.unit.plugins.module_utils.loopback import Loopback, Reply, answer, page

PORTAL = "https://security.microsoft.com"
SCHEMA = Path(__file__).parents[6] / "docs" / "contract.schema.json"
CREATE = {
    "method": "POST",
    "url": "{root}/connect?to=${{instance_url}}",
    "headers": {"cookie": "${portal_cookie}"},
    "body": {"label": "${name}", "key": {"$base64": "${password}"}, "request": "${uuid}"},
    "expect": {"status": 200, "fields": {"id": "data.id"}},
}
UNKNOWN = r"operations.create: unknown placeholder \${nmae}; did you mean \${name}\? Known placeholders: api_version, .*username"


def document(root: str = PORTAL, **create: Any) -> dict[str, Any]:
    operation = {**CREATE, "url": CREATE["url"].format(root=root), **create}
    return {"contract": 1, "name": "acme", "target": "mda_connector", "operations": {"create": operation}}


# -- the format -------------------------------------------------------------------------------------------------------


def test_a_contract_is_understood() -> None:
    contract = parse(document(), "mda_connector")
    assert contract.origin == PORTAL
    assert contract.required_values("create") == {"instance_url", "name", "password", "portal_cookie"}


def test_what_an_answer_brings_need_not_be_given() -> None:
    then = [{"method": "POST", "url": f"{PORTAL}/confirm/${{id}}"}]
    assert "id" not in parse(document(then=then), "mda_connector").required_values("create")


@pytest.mark.parametrize(
    ("changed", "reported"),
    [
        ({"contract": 2}, "contract: must be 1"),
        ({"name": ""}, "name: is missing"),
        ({"target": "other"}, "target: must be one of"),
        ({"target": "mdc_integration"}, "target: must be mda_connector here"),
        ({"operations": {}}, "must be a mapping of operations"),
        ({"operations": {"explode": CREATE}}, "explode must be one of"),
        ({"operations": {"create": {"method": "POST", "url": "/path"}}}, "create.url: must be an absolute URL"),
        ({"operations": {"create": {"method": "PUSH", "url": f"{PORTAL}/"}}}, "create.method: must be one of"),
        ({"operations": {"create": {"method": "POST", "url": "https://${name}/"}}}, "host cannot be a placeholder"),
        ({"operations": {"create": {"method": "POST", "url": "http://example.com/"}}}, "plain http"),
        ({"operations": {"create": {"method": "POST", "url": f"{PORTAL}/", "sneaky": 1}}}, "unknown key sneaky"),
        ({"operations": {"create": {"method": "POST", "url": f"{PORTAL}/${{nmae}}"}}}, UNKNOWN),
        ({"operations": {"delete": {"method": "POST", "url": f"{PORTAL}/", "body": ["${zzz}"]}}}, r"operations.delete: unknown placeholder \${zzz}\. Known"),
        ({"operations": {"create": {"method": "POST", "url": f"{PORTAL}/", "body": "${Name}"}}}, r"'\${Name}' is not a placeholder"),
        ({"operations": {"create": {"method": "POST", "url": f"{PORTAL}/", "headers": {"a": "$name"}}}}, "is not a placeholder. Write"),
        ({"operations": {"create": {"method": "POST", "url": f"{PORTAL}/", "expect": {"status": 404}}}}, "200 to 299"),
        (
            {"operations": {"create": {"method": "POST", "url": f"{PORTAL}/", "then": [{"method": "GET", "url": "https://example.com/"}]}}},
            "must go to one host",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_place(changed: dict[str, Any], reported: str) -> None:
    with pytest.raises(InvalidInput, match=reported):
        parse({**document(), **changed}, "mda_connector")


def test_the_schema_knows_the_same_operations() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    (pattern,) = schema["properties"]["operations"]["patternProperties"]
    assert pattern == f"^({'|'.join(OPERATIONS)})$"


# -- templates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("${name}", "a b"),
        ("ServiceNow - ${name}!", "ServiceNow - a b!"),
        ({"$base64": "${name}"}, "YSBi"),
        ({"$url": "${name}"}, "a%20b"),
        ({"$json": {"n": "${name}", "s": "${skip}"}}, '{"n":"a b","s":7}'),
        ({"$form": {"n": "${name}"}}, "n=a+b"),
        ([{"deep": ["${skip}", True, None]}], [{"deep": [7, True, None]}]),
        ("{{ lookup('pipe', 'id') }}", "{{ lookup('pipe', 'id') }}"),
        ("costs $$5, $${name} and $$${name}", "costs $5, ${name} and $a b"),
        ("$$", "$"),
    ],
)
def test_a_template_is_filled_in(template: Any, filled: Any) -> None:
    assert render(template, {"name": "a b", "skip": 7}) == filled


@given(st.text(), st.text())
def test_any_text_can_be_escaped(text: str, value: str) -> None:
    template = f"{escape(text)}{placeholder('name')}{escape(text)}"
    assert render(template, {"name": value}) == f"{text}{value}{text}"
    assert unescape(escape(text)) == text


def test_a_value_cannot_leave_its_place_in_an_address() -> None:
    filled = render_url(f"{PORTAL}/x/${{id}}?q=${{name}}", {"id": "../admin", "name": "a&b=c#"})
    assert filled == f"{PORTAL}/x/..%2Fadmin?q=a%26b%3Dc%23"


# -- replay -----------------------------------------------------------------------------------------------------------

VALUES = {"name": "acme-test", "instance_url": "https://acme-test.service-now.com", "password": "Pass-word-1"}


@pytest.fixture
def replay_of(server: Loopback, tenant_of: Callable[..., CloudAppsClient]) -> Callable[..., Replay]:
    def make(**create: Any) -> Replay:
        contract = parse(document(server.url, **create), "mda_connector")
        return Replay(contract, tenant_of(mda_portal_cookie="sccauth=c00kie-text"))

    return make


def test_exactly_the_requests_of_the_contract_are_sent(server: Loopback, replay_of: Callable[..., Replay]) -> None:
    server.answers(answer({"data": {"id": "x1"}}))
    assert replay_of().run("create", VALUES) == {"id": "x1"}
    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/connect")
    assert request.query == {"to": "https://acme-test.service-now.com"}
    assert request.json["label"] == "acme-test"
    assert request.json["key"] == "UGFzcy13b3JkLTE="
    assert request.headers["cookie"] == "sccauth=c00kie-text"
    assert "authorization" not in request.headers


def test_each_run_has_its_own_request_id(server: Loopback, replay_of: Callable[..., Replay]) -> None:
    server.answers(answer({"data": {"id": "x1"}}))
    replay = replay_of()
    replay.run("create", VALUES)
    replay.run("create", VALUES)
    assert server.received[0].json["request"] != server.received[1].json["request"]


def test_later_requests_use_what_answers_brought(server: Loopback, replay_of: Callable[..., Replay]) -> None:
    server.answers(answer({"data": {"id": "x1"}}), answer({"ok": True}))
    replay_of(then=[{"method": "POST", "url": f"{server.url}/confirm/${{id}}", "body": {"for": "${id}"}}]).run(
        "create", VALUES
    )
    assert (server.received[1].path, server.received[1].json) == ("/confirm/x1", {"for": "x1"})


def test_an_answer_without_a_declared_field_stops_everything(
    server: Loopback, replay_of: Callable[..., Replay]
) -> None:
    server.answers(answer({"data": {"connectorId": "x1"}}))
    then = [{"method": "POST", "url": f"{server.url}/confirm/${{id}}"}]
    with pytest.raises(
        EngineError, match=r"no longer matches.*lacks id \(data.id\); it has: data. Nothing more was sent"
    ):
        replay_of(then=then).run("create", VALUES)
    assert server.lines == ["POST /connect"]


def test_another_status_than_declared_stops_everything(server: Loopback, replay_of: Callable[..., Replay]) -> None:
    server.answers(answer({"data": {"id": "x1"}}, 202))
    with pytest.raises(EngineError, match="-> 202, but the contract declares status 200"):
        replay_of().run("create", VALUES)


def test_a_refusal_of_one_connector_is_no_misfit(server: Loopback, replay_of: Callable[..., Replay]) -> None:
    server.answers(answer({"error": {"message": "The name is taken"}}, 400))
    with pytest.raises(Refused, match="the portal refused create.*The name is taken"):
        replay_of().run("create", VALUES)


@pytest.mark.parametrize("ended", [answer({}, 401), answer({}, 440), page("Please sign in")])
def test_a_session_that_has_ended_is_reported(server: Loopback, replay_of: Callable[..., Replay], ended: Any) -> None:
    server.answers(ended)
    with pytest.raises(SignInFailed, match="the portal session has ended or lacks the permission") as caught:
        replay_of().run("create", VALUES)
    assert "c00kie-text" not in str(caught.value)


SIGNED_IN = {
    "mda_portal_cookie": "sccauth=c00kie-text; XSRF-TOKEN=first%2Btoken",
    "mda_portal_xsrf_token": "first+token",
}
GUARDED = {"headers": {"cookie": "${portal_cookie}", "x-xsrf-token": "${portal_xsrf_token}"}}


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def with_token(token: str) -> Reply:
    reply = answer({"data": {"id": "x1"}})
    cookies = f"other=1; Path=/, XSRF-TOKEN={quote(token, safe='')}; Path=/; Secure"
    return replace(reply, headers={**reply.headers, "set-cookie": cookies})


def tokens_of(server: Loopback) -> list[tuple[str, str]]:
    return [(sent.headers["x-xsrf-token"], sent.headers["cookie"].rpartition("=")[2]) for sent in server.received]


def test_a_token_that_the_portal_issues_is_used_at_once_and_by_later_tasks(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient], context: TaskContext, own_folder: Path
) -> None:
    server.answers(*map(with_token, ("second/token", "second/token", "third", "third")))
    then = [{"method": "POST", "url": f"{server.url}/confirm/${{id}}", **GUARDED}]
    contract = parse(document(server.url, **GUARDED, then=then), "mda_connector")
    Replay(contract, tenant_of(**SIGNED_IN)).run("create", VALUES)
    assert tokens_of(server) == [("first+token", "first%2Btoken"), ("second/token", "second%2Ftoken")]
    Replay(contract, tenant_of(**SIGNED_IN)).run("create", VALUES)
    assert [token for token, _cookie in tokens_of(server)[2:]] == ["second/token", "third"]
    (kept,) = own_folder.rglob("*.session")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert b"third" not in kept.read_bytes()
    assert "third" not in context.redactor.scrub_text("third, second/token")


def test_a_newer_token_of_the_user_and_another_session_go_before_a_kept_one(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient], own_folder: Path
) -> None:
    server.answers(*map(with_token, ("kept", "x", "x", "x")))
    contract = parse(document(server.url, **GUARDED), "mda_connector")
    others = {"mda_portal_cookie": "sccauth=other; XSRF-TOKEN=first%2Btoken"}
    for options in (SIGNED_IN, {**SIGNED_IN, "mda_portal_xsrf_token": "newer"}, {**SIGNED_IN, **others}, SIGNED_IN):
        Replay(contract, tenant_of(**options)).run("create", VALUES)
    assert [token for token, _cookie in tokens_of(server)] == ["first+token", "newer", "first+token", "kept"]


@pytest.mark.parametrize("token", ["", "first+token", "a\nb", "ä", "x" * 5000])
def test_what_is_no_token_is_not_used(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient], own_folder: Path, token: str
) -> None:
    server.answers(with_token(token), with_token(""))
    replay = Replay(parse(document(server.url, **GUARDED), "mda_connector"), tenant_of(**SIGNED_IN))
    replay.run("create", VALUES)
    replay.run("create", VALUES)
    assert [sent for sent, _cookie in tokens_of(server)] == ["first+token"] * 2
    assert not list(own_folder.rglob("*.session"))


def test_a_kept_token_that_is_damaged_or_cannot_be_written_is_done_without(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient], own_folder: Path
) -> None:
    server.answers(with_token("second"), with_token(""), with_token("third"))
    contract = parse(document(server.url, **GUARDED), "mda_connector")
    Replay(contract, tenant_of(**SIGNED_IN)).run("create", VALUES)
    (kept,) = own_folder.rglob("*.session")
    kept.write_bytes(bytes(range(200, 250)))
    Replay(contract, tenant_of(**SIGNED_IN)).run("create", VALUES)
    kept.unlink()
    kept.mkdir()
    Replay(contract, tenant_of(**SIGNED_IN)).run("create", VALUES)
    assert [token for token, _cookie in tokens_of(server)] == ["first+token"] * 3


def test_check_mode_lets_no_write_out(server: Loopback, context: TaskContext, replay_of: Callable[..., Replay]) -> None:
    replay = replay_of()
    context.check_mode = True
    with pytest.raises(WriteInCheckMode):
        replay.run("create", VALUES)
    assert server.received == []


def test_a_missing_value_is_named_before_anything_is_sent(replay_of: Callable[..., Replay]) -> None:
    with pytest.raises(InvalidInput, match="requires instance_url, password to create it. Nothing was sent"):
        replay_of().check("create", {"name": "acme-test"}, "connector acme-test")


def test_our_own_sign_in_goes_to_no_other_host(server: Loopback, tenant_of: Callable[..., CloudAppsClient]) -> None:
    signed = document(PORTAL, headers={"authorization": "${authorization}"})
    replay = Replay(parse(signed, "mda_connector"), tenant_of())
    with pytest.raises(InvalidInput, match="requires authorization"):
        replay.check("create", VALUES, "connector acme-test")
