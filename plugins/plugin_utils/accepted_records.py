# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose records of accepted credentials will change, before anything is sent to Microsoft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..module_utils.engine.accepted_credentials import Credentials
from ..module_utils.engine.errors import EngineError
from ..module_utils.microsoft.arm.scopes import scope_of
from ..module_utils.microsoft.cloud_apps.connector_credentials import ConnectorCredentials
from ..module_utils.microsoft.cloud_apps.connector_entry import address_of
from ..module_utils.microsoft.defender_cloud.integration import credentials_at
from ..module_utils.microsoft.exposure_management.data_connectors import connectors_of
from ..module_utils.microsoft.exposure_management.manual_steps import MODES
from ..module_utils.transport.errors import TransportError


def hosts_to_record(hosts: Sequence[str], options: Sequence[Mapping[str, Any]], place: str = "") -> list[str]:
    """Return the hosts whose credentials are not those that were recorded as accepted.

    `options` are those of `mdc_integration`, or of an entry of `connectors` of `mda_connectors` or `msem_connectors`, for each host;
    connectors are at `place`, the URL of the tenant or its id. What cannot be recorded, or is refused by its module, is left out.
    """
    return [host for host, each in zip(hosts, options, strict=True) if _is_to_be_recorded(each, place)]


def _is_to_be_recorded(options: Mapping[str, Any], place: str) -> bool:
    try:
        credentials = _credentials_of(options, place)
        if credentials is None or not credentials.is_complete or options.get("state") == "absent":
            return False
        return not credentials.compare(options.get("accepted") or "").is_proven
    except (EngineError, TransportError):
        return False


def _credentials_of(options: Mapping[str, Any], place: str) -> Credentials | None:
    if "display_name" in options:
        return credentials_at(scope_of(options).path, options)
    if options.get("mode") in MODES:
        return connectors_of([options], place)[0].credentials
    found = ConnectorCredentials.from_entry(options, address_of(options), place.strip().rstrip("/"))
    return found.credentials if found else None
