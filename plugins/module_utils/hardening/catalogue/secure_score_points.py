# SPDX-License-Identifier: GPL-3.0-or-later
"""The ServiceNow controls of Microsoft Secure Score: their points, and where Microsoft's rule differs.

See docs/facts/servicenow_hardening.md#secure-score-controls.
"""

from __future__ import annotations

from .setting import LT, Wanted

# Points by control, from the exports of August 2024 and April 2026; 114 in total.
POINTS = {
    "MDA_SNOW_authenticateMultifactor": 6,
    "MDA_SNOW_authRequiredJson2": 5,
    "MDA_SNOW_authRequiredSOAP": 5,
    "MDA_SNOW_authRequiredUnl": 6,
    "MDA_SNOW_cauthRequiredScriptedProcessor": 4,
    "MDA_SNOW_concourseOnmessageEnforceSameOrigin": 6,
    "MDA_SNOW_enablePasswordPolicy": 4,
    "MDA_SNOW_highSecurity": 7,
    "MDA_SNOW_httpCacheControl": 6,
    "MDA_SNOW_loginNoBlankPassword": 6,
    "MDA_SNOW_roleManagement": 6,
    "MDA_SNOW_scriptCcsiIsPublic": 4,
    "MDA_SNOW_scriptSecureAjaxgliderecord": 4,
    "MDA_SNOW_scriptUseSandbox": 6,
    "MDA_SNOW_smDefaultMode": 5,
    "MDA_SNOW_sncUserLockoutCheck": 4,
    "MDA_SNOW_soapRequireContentTypeXml": 6,
    "MDA_SNOW_soapStrictSecurity": 6,
    "MDA_SNOW_systemSecurity": 4,
    "MDA_SNOW_uiSessionTimeout": 4,
    "MDA_SNOW_useCsrfToken": 6,
    "MDA_SNOW_userCookieMaxLifeSpanInDays": 4,
}

# Where Microsoft requires less than the hardening baseline: comparator and value by setting.
MICROSOFT: dict[str, tuple[str, Wanted]] = {"session.remember_me_max_days": (LT, 180)}
