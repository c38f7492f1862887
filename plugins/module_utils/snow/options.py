# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of every ServiceNow module, and what the options of its resources share."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

Options = dict[str, dict[str, Any]]

GRANT_TYPES = ["basic", "password", "client_credentials", "refresh_token", "jwt_bearer", "token", "api_key", "mtls"]


def _option(variable: str = "", *, secret: bool = False, **more: Any) -> dict[str, Any]:
    option: dict[str, Any] = {"type": "str", **more}
    if variable:
        option["fallback"] = (env_fallback, [variable])
    if secret:
        option["no_log"] = True
    return option


SNOW_OPTIONS: Options = {
    "snow_url": _option("SN_HOST"),
    "snow_username": _option("SN_USERNAME"),
    "snow_password": _option("SN_PASSWORD", secret=True),
    "snow_grant_type": _option("SN_GRANT_TYPE", choices=GRANT_TYPES),
    "snow_client_id": _option("SN_CLIENT_ID"),
    "snow_client_secret": _option("SN_CLIENT_SECRET", secret=True),
    "snow_refresh_token": _option("SN_REFRESH_TOKEN", secret=True),
    "snow_jwt_assertion": _option(secret=True),
    "snow_access_token": _option("SN_ACCESS_TOKEN", secret=True),
    "snow_api_key": _option("SN_API_KEY", secret=True),
    "snow_client_cert": {"type": "path"},
    "snow_client_key": {"type": "path", "no_log": False},
}

STATE_OPTION: dict[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
# When a write-only secret is written.
SECRET_POLICIES = ("on_mismatch", "always", "on_create")


def entries(options: Options) -> dict[str, Any]:
    """Return the option for a list of entries with `options`."""
    return {"type": "list", "elements": "dict", "options": options}
