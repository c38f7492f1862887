# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls of Secure Score: the 22 of ServiceNow with their settings, and some others.

See docs/facts/servicenow_hardening.md#secure-score-controls.
"""

from __future__ import annotations

from dataclasses import dataclass

SERVICE = "MDA_SNOW"

# id without its prefix | title | points | category of 2026 | kind, names | test
# Which control the export of 2026 files under Identity is not published; these are a guess.
_CONTROLS = """
authenticateMultifactor | Enable multi-factor authentication | 6 | Identity | property glide.authenticate.multifactor | = true
authRequiredJson2 | Enable enforcing JSONv2 requests with basic authorization | 5 | Apps | property glide.basicauth.required.jsonv2 | = true
authRequiredSOAP | Enable enforcing SOAP requests with basic authorization | 5 | Apps | property glide.basicauth.required.soap | = true
authRequiredUnl | Enable unload request authorization | 6 | Apps | property glide.basicauth.required.unl | = true
cauthRequiredScriptedProcessor | Enable script request authorization | 4 | Apps | property glide.basicauth.required.scriptedprocessor | = true
concourseOnmessageEnforceSameOrigin | Enable URL allow list for cross-origin iframe communication | 6 | Apps | \
    property glide.ui.concourse.onmessage_enforce_same_origin | = true
enablePasswordPolicy | Enable Password Reset Policy Checks | 4 | Identity | property glide.enable.password_policy | = true
highSecurity | Enable high security plugin | 7 | Apps | plugin com.glide.high_security |
httpCacheControl | Set default cache-control HTTP header value to private | 6 | Apps | property glide.http.cache_control | = private
loginNoBlankPassword | Disable password-less authentication | 6 | Identity | property glide.login.no_blank_password | = true
roleManagement | Enable Contextual Security: Role Management plugin | 6 | Apps | \
    plugin com.glide.role_management com.glide.role_management.inh_count |
scriptCcsiIsPublic | Set client-callable script includes to private | 4 | Apps | property glide.script.ccsi.ispublic | = false
scriptSecureAjaxgliderecord | Apply ACL validation to GlideAjax record access | 4 | Apps | \
    property glide.script.secure.ajaxgliderecord | = true
scriptUseSandbox | Enable client generated scripts sandbox | 6 | Apps | property glide.script.use.sandbox | = true
smDefaultMode | Enable default deny with new ACL rules | 5 | Apps | property glide.sm.default_mode | = deny
sncUserLockoutCheck | Enable managing failed login attempts | 4 | Identity | \
    action 5e44f9bf0a0a0a0a019a6440b2137767 d92636b2975301008e00958e3b297567 |
soapRequireContentTypeXml | Enable SOAP content type checking | 6 | Apps | property glide.soap.require_content_type_xml | = true
soapStrictSecurity | Enable SOAP request strict security | 6 | Apps | property glide.soap.strict_security | = true
systemSecurity | Activate security jump start (ACL rules) plugin | 4 | Apps | plugin com.snc.system_security |
uiSessionTimeout | Enable session activity timeout | 4 | Identity | property glide.ui.session_timeout | <= 60
useCsrfToken | Enable anti-CSRF token | 6 | Apps | property glide.security.use_csrf_token | = true
userCookieMaxLifeSpanInDays | Enable absolute session timeout | 4 | Identity | \
    property glide.ui.user_cookie.max_life_span_in_days | <= 179
"""
# Published defaults of properties without a row (docs/facts/servicenow_hardening.md#values-without-a-row); without the
# last two every release is safe (docs/facts/servicenow_hardening.md#secure-score-controls).
FALLBACKS = {
    "glide.authenticate.multifactor": "false",
    "glide.basicauth.required.jsonv2": "false",
    "glide.basicauth.required.scriptedprocessor": "false",
    "glide.enable.password_policy": "false",
    "glide.script.ccsi.ispublic": "false",
    "glide.script.secure.ajaxgliderecord": "true",
    "glide.soap.require_content_type_xml": "false",
    "glide.soap.strict_security": "true",
    "glide.ui.concourse.onmessage_enforce_same_origin": "false",
    "glide.ui.session_timeout": "30",
    "glide.ui.user_cookie.max_life_span_in_days": "30",
    "glide.login.no_blank_password": "true",
    "glide.script.use.sandbox": "true",
}

# id | title | service | category | points | points reached; controls of other products
_OTHERS = """
AdminMFAV2 | Ensure multifactor authentication is enabled for all users in administrative roles | AzureAD | Identity | 10 | 10
BlockLegacyAuthentication | Enable policy to block legacy authentication | AzureAD | Identity | 8 | 4
SelfServicePasswordReset | Enable self-service password reset | AzureAD | Identity | 1 | 1
IntegratedApps | Users cannot grant consent to unreliable applications | AzureAD | Apps | 4 | 0
mdo_safelinksforemail | Create Safe Links policies for email messages | MDO | Apps | 9 | 9
"""


@dataclass(frozen=True, slots=True)
class Control:
    """One control. `kind` and `names` select the setting, `test` its safe value; `reached` is for other products."""

    id: str
    title: str
    points: float
    service: str
    category: str
    kind: str = ""
    names: tuple[str, ...] = ()
    test: str = ""
    reached: float = 0.0

    @property
    def is_servicenow(self) -> bool:
        """Whether its score depends on ServiceNow instances."""
        return self.service == SERVICE


def servicenow() -> list[Control]:
    """The controls of ServiceNow."""
    found = []
    for line in _CONTROLS.strip().splitlines():
        key, title, points, category, where, test = (cell.strip() for cell in line.split("|"))
        kind, *names = where.split()
        control = Control(f"{SERVICE}_{key}", title, float(points), SERVICE, category, kind, tuple(names), test)
        found.append(control)
    return found


def others() -> list[Control]:
    """Controls of other products."""
    found = []
    for line in _OTHERS.strip().splitlines():
        key, title, service, category, points, reached = (cell.strip() for cell in line.split("|"))
        found.append(Control(key, title, float(points), service, category, reached=float(reached)))
    return found


def unknown(key: str) -> Control:
    """An unknown control; no instance follows it."""
    return Control(key, f"Recommendation {key}", 5.0, SERVICE, "Apps")
