# SPDX-License-Identifier: GPL-3.0-or-later
"""A contract for data connectors of Exposure Management, learned from recordings of a made-up portal."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import InvalidInput
from ansible_collections.secops.servicenow_defender.plugins.module_utils.recorded_api.recording.learn import learn
from ansible_collections.secops.servicenow_defender.plugins.module_utils.recorded_api.recording.listing import (
    find_listing,
)
from tests.unit.plugins.module_utils.recorded_api.recording.wizard_recordings import PORTAL, entry, har

API = f"{PORTAL}/apiproxy/exposure"
HOST, ID = "acme-dev.service-now.com", "7d4f0e3a-1b2c-4d5e-8f90-a1b2c3d4e5f6"
TYPED = {
    "instance_url": f"https://{HOST}",
    "client_id": "0123456789abcdef0123456789abcdef",
    "client_secret": "c1ient-Secret=",
}
BASIC = {"instance_url": f"https://{HOST}", "username": "svc_defender", "password": "Pass word 1"}


def body(typed: dict[str, str]) -> dict[str, Any]:
    """Return what the made-up wizard sends: the host only, and the credentials of one mode."""
    return {"kind": "x", "properties": {"host": HOST, "auth": {k: v for k, v in typed.items() if k != "instance_url"}}}


def row(host: str = HOST, number: str = ID) -> dict[str, Any]:
    return {"connectorId": number, "settings": {"instance": host}, "state": "Connected"}


def listing(*rows: dict[str, Any], second: int, **more: Any) -> dict[str, Any]:
    return entry("GET", f"{API}/connectors?kind=x", None, {"value": list(rows), **more}, second=second)


def recording(typed: dict[str, str], answer: Any = None, place: str = ID) -> list[dict[str, Any]]:
    """Return a connection, its list, its details entered again, and its removal; `place` names it in addresses."""
    return [
        listing(row("other.service-now.com", "aaaaaaaa-1b2c-4d5e-8f90-a1b2c3d4e5f6"), second=1),
        entry("POST", f"{API}/connectors", body(typed), {"id": ID} if answer is None else answer, 201, second=2),
        listing(row("other.service-now.com", "aaaaaaaa-1b2c-4d5e-8f90-a1b2c3d4e5f6"), row(), second=3),
        entry("PUT", f"{API}/connectors/{place}", body(typed), {}, second=4),
        entry("DELETE", f"{API}/connectors/{place}", None, None, 204, second=5),
        listing(second=6),
    ]


def operations(*entries: dict[str, Any], typed: dict[str, str] = TYPED) -> dict[str, Any]:
    found = learn(har(*entries), "acme", typed, "msem_connector").contract
    assert found["target"] == "msem_connector"
    operations = found["operations"]
    assert isinstance(operations, dict)
    return operations


@pytest.mark.parametrize("typed", [TYPED, BASIC])
@pytest.mark.parametrize("answer", [None, {"operation": "accepted"}])
def test_all_operations_are_learned_from_one_recording(typed: dict[str, str], answer: Any) -> None:
    found = operations(*recording(typed, answer), typed=typed)
    assert sorted(found) == ["create", "delete", "list", "update"]
    auth = {name: f"${{{name}}}" for name in typed if name != "instance_url"}
    assert found["create"]["body"] == {"kind": "x", "properties": {"host": "${instance_host}", "auth": auth}}
    assert found["update"]["url"] == found["delete"]["url"] == f"{API}/connectors/${{id}}"
    assert found["list"]["url"] == f"{API}/connectors?kind=x"
    assert found["list"]["expect"]["fields"] == {
        "connectors": "value[*].{id: connectorId, address: settings.instance}",
        "has_next": 'not_null(hasNext, nextLink, "@odata.nextLink", `false`)',
    }


@pytest.mark.parametrize(
    ("more", "product"),
    [
        ({"vendor": "ServiceNowCmdb"}, ", product: vendor"),
        ({"name": "our ServiceNow", "about": {"productName": "ServiceNow"}}, ", product: about.productName"),
        ({"name": "our ServiceNow", "types": ["ServiceNow"]}, ""),
    ],
)
def test_the_product_of_a_listed_connector_is_learned(more: dict[str, Any], product: str) -> None:
    steps = recording(TYPED)
    steps[2] = listing({**row(), **more}, second=3)
    assert operations(*steps)["list"]["expect"]["fields"]["connectors"] == (
        f"value[*].{{id: connectorId, address: settings.instance{product}}}"
    )


def test_a_portal_that_knows_connectors_by_their_address_needs_no_id() -> None:
    found = operations(*recording(TYPED, {"operation": "accepted"}, HOST))
    assert found["update"]["url"] == found["delete"]["url"] == f"{API}/connectors/${{instance_host}}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"client_id": "c", "client_secret": "s"}, "lacks instance_url: without its placeholder"),
        ({"instance_url": f"https://{HOST}"}, "lacks client_id and client_secret, or username and password"),
        (
            {"instance_url": f"https://{HOST}", "client_id": "some-id"},
            "lacks client_secret: without their placeholders",
        ),
        ({**TYPED, "password": ""}, "password: too short"),
        (
            {**TYPED, "tenant": "t"},
            "accepts name, instance_url, username, password, client_id, client_secret; not tenant",
        ),
        ({**TYPED, "name": "Our CMDB"}, "name: not found in the requests of the wizard"),
    ],
)
def test_what_lacks_is_named(values: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        operations(*recording(TYPED), typed=values)


def test_an_instance_that_was_connected_before_is_ambiguous() -> None:
    with pytest.raises(InvalidInput, match="instance_host is ambiguous"):
        operations(listing(row(), second=1), *recording(TYPED)[1:])


@pytest.mark.parametrize(
    ("response", "fields"),
    [
        ([row()], {"connectors": "[*].{id: connectorId, address: settings.instance}"}),
        ({"data": {"a": {"_id": 7, "url": f"HTTPS://{HOST}/"}}}, None),
        ({"data": [{"url": HOST}]}, None),
        ({"data": [{"_id": 7, "urls": [HOST]}]}, None),
        ({"a-b": [{"_id": 7, "url": f"HTTPS://{HOST.upper()}/"}]}, {"connectors": '"a-b"[*].{id: _id, address: url}'}),
    ],
)
def test_the_list_is_what_has_an_item_with_the_address_and_an_id(response: Any, fields: dict[str, str] | None) -> None:
    found = find_listing(response, HOST, [])
    assert (found and {"connectors": found.fields["connectors"]}) == fields
