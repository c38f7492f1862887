# SPDX-License-Identifier: GPL-3.0-or-later
"""Session management: lifetime of sessions and cookies."""

from __future__ import annotations

from .setting import Category

SESSIONS = Category("Session management")

SETTINGS = (
    SESSIONS.plugin(
        "plugin.limit_concurrent_sessions", "com.glide.limit.concurrent.sessions",
        "Parallel sessions of a user can be capped", "low 3.7", 1
    ),
    SESSIONS.boolean(
        "acl.explicit_roles_denylist", "glide.security.explicit_roles.enable_internal_user_blacklist",
        "No user is both internal and external", True, "medium 5.4", 1, shipped_default=True, fallback=False,
        left="baseline 2.0, although its page still exists", note="On by default since Paris"
    ),
    SESSIONS.boolean(
        "auth.reset_required_api", "glide.authenticate.api.user.reset_password.mandatory",
        "Accounts that must change their password cannot use the APIs", True, "high 8.1", 1, fallback=False,
        side_effects="Accounts with password_needs_reset, such as new integration users"
    ),
    SESSIONS.boolean(
        "oauth.session_after_expiry", "glide.authenticate.oauth.post.token.expiration.cookie_auth.disabled",
        "A session ends with the token that opened it", True, "medium 6.8", 5, shipped_default=True, fallback=False,
        side_effects="Clients that continue with the cookie after their token has expired"
    ),
    SESSIONS.boolean(
        "api.session_not_reused", "com.glide.processors.aprocessor.donot_reuse_api_session",
        "The cookie of a REST session cannot open UI pages", True, "medium 4.3", 8, shipped_default=True, fallback=False,
        side_effects="Automation that signs in by REST and continues in the web interface, including role elevation"
    ),
    SESSIONS.integer(
        "session.idle_timeout", "glide.ui.session_timeout", "Idle sessions end", 60, "high 7.5", 1, fallback=30,
        control="uiSessionTimeout"
    ),
    SESSIONS.integer(
        "session.remember_me_days", "glide.ui.user_cookie.life_span_in_days", "Remember me lasts for a limited number of days", 15,
        "medium 4.9", 1, fallback=15
    ),
    SESSIONS.integer(
        "session.remember_me_max_days", "glide.ui.user_cookie.max_life_span_in_days", "Remember me has a maximum lifetime", 30,
        "medium 4.2", 1, fallback=30, control="userCookieMaxLifeSpanInDays",
        note="Microsoft requires less than 180 days, ServiceNow 30 or fewer"
    ),
    SESSIONS.boolean(
        "session.rotate", "glide.ui.rotate_sessions", "Signing in starts a session with a new id", True, "high 8.8",
        1, fallback=True, elevated=True, note="The documentation disables it with the former SAML 2.0 plugin"
    ),
    SESSIONS.boolean(
        "session.httponly", "glide.cookies.http_only", "Scripts cannot read session cookies", True, "high 8.0", 1,
        fallback=True, irreversible=True
    ),
    SESSIONS.boolean(
        "session.cookie_v31", "glide.ui.secure.cookies.use_kmf",
        "The key management framework keeps the keys of user cookies", True, "high 7.1", 1, shipped_default=False
    ),
    SESSIONS.boolean(
        "session.concurrent_limit", "glide.authenticate.limit.concurrent.interactive.sessions",
        "The limit of parallel sessions is enabled", True, "low 3.7", 1,
        side_effects="Parallel sessions of one account, including integrations",
        note="Documented as a number on one page, as a switch on another"
    ),
    SESSIONS.integer(
        "session.concurrent_max", "glide.authenticate.max.concurrent.interactive.sessions",
        "Few parallel sessions for each user", 1, "low 3.7", 1, shipped_default=1
    ),
    SESSIONS.boolean(
        "session.concurrent_all_nodes", "glide.authenticate.limit.concurrent.sessions.across.all.nodes",
        "The limit of parallel sessions applies across all nodes", True, "low 3.7", 1, fallback=True
    ),
    SESSIONS.integer(
        "session.ui_lifespan", "glide.ui.active.session.life_span", "Web sessions end after 720 minutes at most", 720,
        "medium 4.2", 2, comparator="range_1_720", fallback=0, note="0 means never"
    ),
    SESSIONS.integer(
        "session.integration_lifespan", "glide.integrations.active.session.life_span",
        "Sessions of integrations end after 720 minutes at most", 720, "medium 4.2", 2, comparator="range_1_720",
        shipped_default=0, fallback=0, side_effects="Integrations that keep one session open have to sign in again",
        note="0 means never"
    ),
    SESSIONS.integer(
        "session.guest_lifespan", "glide.guest.active.session.life_span",
        "Guest sessions end after 720 minutes at most", 720, "medium 4.2", 2, comparator="range_1_720",
        shipped_default=0, fallback=0, note="0 means never"
    ),
    SESSIONS.boolean(
        "session.invalidate", "glide.active.session.timeout.invalidate.session",
        "A session that timed out is invalidated immediately", True, "medium 4.6", 2, shipped_default=False, fallback=False
    ),
    SESSIONS.value_list(
        "session.exception_roles", "glide.active.session.timeout.exception.roles",
        "Only listed roles are exempt from session expiry", ["edge_encryption", "mid_server", "maint"], "medium 6.4", 2,
        comparator="subset_of", shipped_default="edge_encryption,mid_server,maint",
        fallback="edge_encryption,mid_server,maint"
    ),
    SESSIONS.integer(
        "session.mobile_refresh", "glide.authenticate.session_access.mobile.refresh_token_interval",
        "Mobile sessions are re-evaluated after seconds", 1800, "medium 4.3", 4, fallback=1800
    ),
    SESSIONS.boolean(
        "session.zta_mobile", "glide.zta.high_assurance.mobile.session.allowed",
        "Continuous authentication applies to mobile sessions", False, "low 3.9", 6, shipped_default=False,
        fallback=False
    ),
    SESSIONS.integer(
        "session.zta_timeout", "glide.zta.high_assurance.session.timeout", "High assurance lasts for minutes", 30,
        "low 3.3", 6, shipped_default=30, fallback=30
    ),
    SESSIONS.integer(
        "session.zta_attempts", "glide.zta.high_assurance.session.max.login.failed_attempts",
        "High assurance allows few failed attempts", 5, "low 3.3", 6, shipped_default=5, fallback=5
    ),
    SESSIONS.boolean(
        "browser.headers_config", "glide.http.headers_config.enabled",
        "Response headers come from configuration records", True, "medium 5.5", 1, shipped_default=True,
        fallback=True
    ),
)  # fmt: skip
