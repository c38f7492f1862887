# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of Microsoft Entra, Resource Manager and Graph (option group azure)."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

from .clouds import CLOUDS, DEFAULT_CLOUD

AUTH_SOURCES = ["auto", "client_secret", "certificate", "federated", "managed_identity", "cli", "token"]


def _option(*variables: str, **more: Any) -> dict[str, Any]:
    option: dict[str, Any] = {"type": "str", **more}
    if variables:
        option["fallback"] = (env_fallback, list(variables))
    return option


# Where two variables stand, the first is the one of azure-identity, the second that of azure.azcollection
# (docs/facts/entra.md#environment-variables).
AZURE_OPTIONS: dict[str, dict[str, Any]] = {
    "azure_tenant_id": _option("AZURE_TENANT_ID", "AZURE_TENANT"),
    "azure_client_id": _option("AZURE_CLIENT_ID"),
    "azure_client_secret": _option("AZURE_CLIENT_SECRET", "AZURE_SECRET", no_log=True),
    "azure_client_certificate": _option(
        "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CERTIFICATE_PATH", type="path", no_log=False
    ),
    "azure_client_certificate_password": _option("AZURE_CLIENT_CERTIFICATE_PASSWORD", no_log=True),
    "azure_federated_token_file": _option("AZURE_FEDERATED_TOKEN_FILE", type="path", no_log=False),
    "azure_access_token": _option(no_log=True),
    "azure_auth_source": _option(choices=AUTH_SOURCES, default="auto"),
    "azure_subscription_id": _option("AZURE_SUBSCRIPTION_ID"),
    "azure_cloud": _option("AZURE_CLOUD_ENVIRONMENT", choices=list(CLOUDS), default=DEFAULT_CLOUD),
    "azure_authority_url": _option("AZURE_AUTHORITY_HOST"),
    "azure_arm_url": _option(),
    "azure_graph_url": _option(),
}
