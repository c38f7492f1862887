# SPDX-License-Identifier: GPL-3.0-or-later
"""The clouds of Microsoft, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cloud:
    """The addresses of one cloud's sign-in and APIs: roots, without tenant, version or path."""

    authority: str
    resource_manager: str
    graph: str


# See docs/facts/entra.md#clouds. The Graph roots of the sovereign clouds are those of Microsoft's list of national
# clouds.
CLOUDS: dict[str, Cloud] = {
    "AzureCloud": Cloud(
        "https://login.microsoftonline.com", "https://management.azure.com", "https://graph.microsoft.com"
    ),
    "AzureUSGovernment": Cloud(
        "https://login.microsoftonline.us", "https://management.usgovcloudapi.net", "https://graph.microsoft.us"
    ),
    "AzureChinaCloud": Cloud(
        "https://login.partner.microsoftonline.cn",
        "https://management.chinacloudapi.cn",
        "https://microsoftgraph.chinacloudapi.cn",
    ),
}
DEFAULT_CLOUD = "AzureCloud"


def cloud_of(params: Mapping[str, Any]) -> Cloud:
    """Return the cloud of a task; single endpoints can be overridden."""
    return CLOUDS[params.get("azure_cloud") or DEFAULT_CLOUD]


def audience(root: str) -> str:
    """Return the scope for the API at `root`: everything that was granted to the client."""
    return f"{root}/.default"
