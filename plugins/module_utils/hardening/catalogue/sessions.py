# SPDX-License-Identifier: GPL-3.0-or-later
"""Session management: life of sessions and cookies."""

from __future__ import annotations

from .setting import Category

SESSIONS = Category("Session management")

SETTINGS = (
    SESSIONS.plugin(
        "plugin.limit_concurrent_sessions", "com.glide.limit.concurrent.sessions",
        "Parallel sessions of a user can be capped", "low 3.7", 1
    ),
    SESSIONS.switch(
        "acl.explicit_roles_denylist", "glide.security.explicit_roles.enable_internal_user_blacklist",
        "Nobody is internal and external at once", True, "medium 5.4", 1, shipped_default=True, fallback=False,
        left="baseline 2.0, although its page lived on", note="On by default since Paris"
    ),
    SESSIONS.switch(
        "auth.reset_required_api", "glide.authenticate.api.user.reset_password.mandatory",
        "An account that has to change its password is refused by the APIs", True, "high 8.1", 1, fallback=False,
        breaks="Accounts with password_needs_reset, as fresh integration users have it"
    ),
    SESSIONS.switch(
        "oauth.session_after_expiry", "glide.authenticate.oauth.post.token.expiration.cookie_auth.disabled",
        "A session ends with the token that opened it", True, "medium 6.8", 5, shipped_default=True, fallback=False,
        breaks="Clients that go on with the cookie after their token has ended"
    ),
    SESSIONS.switch(
        "api.session_not_reused", "com.glide.processors.aprocessor.donot_reuse_api_session",
        "The cookie of a REST session opens no page", True, "medium 4.3", 8, shipped_default=True, fallback=False,
        breaks="Automation that signs in by REST and goes on in the web interface, raising roles there included"
    ),
    SESSIONS.number(
        "session.idle_timeout", "glide.ui.session_timeout", "Idle sessions end", 60, "high 7.5", 1, fallback=30,
        control="uiSessionTimeout"
    ),
    SESSIONS.number(
        "session.remember_me_days", "glide.ui.user_cookie.life_span_in_days", "Remember me lasts for days only", 15,
        "medium 4.9", 1, fallback=15
    ),
    SESSIONS.number(
        "session.remember_me_max_days", "glide.ui.user_cookie.max_life_span_in_days", "Remember me ends for good", 30,
        "medium 4.2", 1, fallback=30, control="userCookieMaxLifeSpanInDays",
        note="Microsoft is content below 180 days, ServiceNow with 30 or fewer"
    ),
    SESSIONS.switch(
        "session.rotate", "glide.ui.rotate_sessions", "Signing in starts a session with a new id", True, "high 8.8",
        1, fallback=True, elevated=True, note="The documentation leaves it off with the former SAML 2.0 plugin"
    ),
    SESSIONS.switch(
        "session.httponly", "glide.cookies.http_only", "Scripts cannot read session cookies", True, "high 8.0", 1,
        fallback=True, irreversible=True
    ),
    SESSIONS.switch(
        "session.cookie_v31", "glide.ui.secure.cookies.use_kmf",
        "The key management framework keeps the keys of user cookies", True, "high 7.1", 1, shipped_default=False
    ),
    SESSIONS.switch(
        "session.concurrent_limit", "glide.authenticate.limit.concurrent.interactive.sessions",
        "The cap on parallel sessions is on", True, "low 3.7", 1,
        breaks="Parallel sessions of one account, an integration's too",
        note="Documented as a number on one page, as a switch on another"
    ),
    SESSIONS.number(
        "session.concurrent_max", "glide.authenticate.max.concurrent.interactive.sessions",
        "Few parallel sessions for each user", 1, "low 3.7", 1, shipped_default=1
    ),
    SESSIONS.switch(
        "session.concurrent_all_nodes", "glide.authenticate.limit.concurrent.sessions.across.all.nodes",
        "The cap holds across all nodes", True, "low 3.7", 1, fallback=True
    ),
    SESSIONS.number(
        "session.ui_lifespan", "glide.ui.active.session.life_span", "Web sessions end after 720 minutes at most", 720,
        "medium 4.2", 2, comparator="range_1_720", fallback=0, note="0 means never"
    ),
    SESSIONS.number(
        "session.integration_lifespan", "glide.integrations.active.session.life_span",
        "Sessions of integrations end after 720 minutes at most", 720, "medium 4.2", 2, comparator="range_1_720",
        shipped_default=0, fallback=0, breaks="Integrations that keep one session open have to sign in again",
        note="0 means never"
    ),
    SESSIONS.number(
        "session.guest_lifespan", "glide.guest.active.session.life_span",
        "Guest sessions end after 720 minutes at most", 720, "medium 4.2", 2, comparator="range_1_720",
        shipped_default=0, fallback=0, note="0 means never"
    ),
    SESSIONS.switch(
        "session.invalidate", "glide.active.session.timeout.invalidate.session",
        "A session that timed out is gone at once", True, "medium 4.6", 2, shipped_default=False, fallback=False
    ),
    SESSIONS.words(
        "session.exception_roles", "glide.active.session.timeout.exception.roles",
        "Hardly any role escapes the end of sessions", ["edge_encryption", "mid_server", "maint"], "medium 6.4", 2,
        comparator="subset_of", shipped_default="edge_encryption,mid_server,maint",
        fallback="edge_encryption,mid_server,maint"
    ),
    SESSIONS.number(
        "session.mobile_refresh", "glide.authenticate.session_access.mobile.refresh_token_interval",
        "Mobile sessions are judged again after seconds", 1800, "medium 4.3", 4, fallback=1800
    ),
    SESSIONS.switch(
        "session.zta_mobile", "glide.zta.high_assurance.mobile.session.allowed",
        "Continuous authentication holds for mobile sessions", False, "low 3.9", 6, shipped_default=False,
        fallback=False
    ),
    SESSIONS.number(
        "session.zta_timeout", "glide.zta.high_assurance.session.timeout", "High assurance lasts for minutes", 30,
        "low 3.3", 6, shipped_default=30, fallback=30
    ),
    SESSIONS.number(
        "session.zta_attempts", "glide.zta.high_assurance.session.max.login.failed_attempts",
        "High assurance is reached in a few tries, or not at all", 5, "low 3.3", 6, shipped_default=5, fallback=5
    ),
    SESSIONS.switch(
        "browser.headers_config", "glide.http.headers_config.enabled",
        "Headers of answers come from configuration records", True, "medium 5.5", 1, shipped_default=True,
        fallback=True
    ),
)  # fmt: skip
