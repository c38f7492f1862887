# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of Defender for Cloud Apps."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

MDA_OPTIONS: dict[str, dict[str, Any]] = {
    "mda_url": {"type": "str", "fallback": (env_fallback, ["MDA_URL"])},
    "mda_api_token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["MDA_API_TOKEN"])},
    "mda_portal_cookie": {"type": "str", "no_log": True},
    "mda_portal_xsrf_token": {"type": "str", "no_log": True},
}
