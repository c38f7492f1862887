# SPDX-License-Identifier: GPL-3.0-or-later
"""Service principals that single sign-on leaves (docs/facts/microsoft_graph.md#enterprise-applications)."""

from __future__ import annotations

from ..state import Row, Tenant


def app_ids(tenant: Tenant) -> set[str]:
    """The application ids of all service principals."""
    return {str(row.get("appId")) for row in tenant.service_principals}


def servicenow(name: str, app_id: str, address: str) -> Row:
    """A service principal of the gallery's ServiceNow application, as single sign-on to an instance leaves it."""
    return {
        "id": app_id[::-1],
        "appId": app_id,
        "displayName": name,
        "accountEnabled": True,
        "servicePrincipalNames": [app_id, address],
        "replyUrls": [f"{address}/navpage.do"],
        "loginUrl": f"{address}/login_with_sso.do?glide_sso_id=00000000000000000000000000000000",
        "homepage": "https://account.activedirectory.windowsazure.com:444/applications/default.aspx?metadata=servicenow",
    }
