# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata of assessments: the text of a recommendation (docs/facts/defender_for_cloud.md#assessment-metadata)."""

from __future__ import annotations

from ...web import Reply, json_reply
from ..arm.errors import bad_request, not_found
from ..arm.provider_manifest import SECURITY
from ..arm.routes import ArmRequest, Resource
from ..arm.scopes import SUBSCRIPTION, TENANT
from ..arm.state import Row

_TYPE = f"{SECURITY}/assessmentMetadata"
_OWN = ("CustomerManaged", "Custom", "CustomPolicy", "ManualCustomPolicy", "VerifiedPartner")
_BUILT_IN = ("BuiltIn", "BuiltInPolicy", "DynamicBuiltIn", "ManualBuiltIn", "ManualBuiltInPolicy", "Unknown")
_TYPES = (*_BUILT_IN, *_OWN)
_READ_ONLY = ("policyDefinitionId", "publishDates")


def metadata_of(request: ArmRequest, name: str) -> Row | None:
    """The properties of a recommendation's metadata: built in, or created in the subscription."""
    row = request.arm.metadata.get(name.lower())
    if row is None or row["subscription"] not in ("", request.scope.subscription):
        return None
    found: Row = row["properties"]
    return found


def in_version(properties: Row, version: str) -> Row:
    """Metadata in the format of an api-version; Critical exists since 2025-05-04."""
    if version >= "2025-05-04" or properties.get("severity") != "Critical":
        return properties
    return {**properties, "severity": "High"}


def list_metadata(request: ArmRequest) -> Reply:
    """Answer the metadata visible in the tenant or in a subscription."""
    seen = ("", request.scope.subscription)
    rows = [row for row in request.arm.metadata.values() if row["subscription"] in seen]
    return request.page(rows, lambda row: _shown(request, row))


def get_metadata(request: ArmRequest) -> Reply:
    """Answer the metadata of one recommendation."""
    name = request.names["name"]
    if metadata_of(request, name) is None:
        raise not_found(f"Assessment metadata '{name}' was not found.")
    return json_reply(200, _shown(request, request.arm.metadata[name.lower()]))


def put_metadata(request: ArmRequest) -> Reply:
    """Create or replace a custom recommendation in a subscription."""
    name, sent = request.names["name"], request.properties()
    severities = ("Low", "Medium", "High", *(("Critical",) if request.version >= "2025-05-04" else ()))
    for field, allowed in (("severity", severities), ("assessmentType", _TYPES)):
        if sent.get(field) not in allowed:
            raise bad_request(f"'{field}' must be one of {', '.join(allowed)}.", target=f"properties.{field}")
    if not sent.get("displayName"):
        raise bad_request("'displayName' is required.", target="properties.displayName")
    old = request.arm.metadata.get(name.lower())
    if sent["assessmentType"] not in _OWN or (old is not None and not old["subscription"]):
        raise bad_request(f"Assessment metadata '{name}' of type '{sent['assessmentType']}' cannot be written.")
    properties = {field: value for field, value in sent.items() if field not in _READ_ONLY}
    row = {"name": name, "subscription": request.scope.subscription, "properties": properties}
    request.arm.metadata[name.lower()] = row
    return json_reply(200, _shown(request, row))


def delete_metadata(request: ArmRequest) -> Reply:
    """Delete a custom recommendation."""
    name = request.names["name"].lower()
    row = request.arm.metadata.get(name)
    if row is not None and not row["subscription"]:
        raise bad_request(f"Assessment metadata '{request.names['name']}' is built in and cannot be deleted.")
    if row is not None and row["subscription"] == request.scope.subscription:
        del request.arm.metadata[name]
    return Reply(200)


def _shown(request: ArmRequest, row: Row) -> Row:
    scope = f"/subscriptions/{row['subscription']}" if row["subscription"] else request.scope.text
    properties = in_version(row["properties"], request.version)
    return {
        "id": f"{scope}/providers/{_TYPE}/{row['name']}",
        "name": row["name"],
        "type": _TYPE,
        "properties": properties,
    }


RESOURCES = (
    Resource(
        SECURITY,
        "assessmentMetadata",
        "assessmentMetadata",
        {"GET": list_metadata},
        (TENANT, SUBSCRIPTION),
    ),
    Resource(
        SECURITY,
        "assessmentMetadata",
        "assessmentMetadata/{name}",
        {"GET": get_metadata, "PUT": put_metadata, "DELETE": delete_metadata},
        (TENANT, SUBSCRIPTION),
    ),
)
