# SPDX-License-Identifier: GPL-3.0-or-later
"""Error handling and logging, and configuration."""

from __future__ import annotations

from .setting import Category

LOGGING = Category("Error handling and logging")
CONFIGURATION = Category("Configuration")

SETTINGS = (
    LOGGING.plugin(
        "plugin.identity_access_audit", "com.glide.security.audit",
        "Changes of users, groups and roles have an audit trail of their own", "medium 4.6", 8
    ),
    LOGGING.plugin(
        "plugin.log_protection", "com.glide.protected_tables",
        "Logs and audit records cannot be changed or deleted by any role", "medium", "",
        left="was never part of it", side_effects="Records can be deleted only by the platform's own table cleaner"
    ),
    LOGGING.boolean(
        "session.cookie_debug", "glide.secure_cookie.debug", "Cookies write no debug log", False, "medium 4.2", 1,
        fallback=False
    ),
    LOGGING.boolean(
        "input.html_sanitize_log", "glide.html_sanitize.discarded_log.enable", "What the sanitizer removes is logged",
        True, "low 2.4", 1, shipped_default=True, left="baseline 5.0"
    ),
    LOGGING.boolean(
        "log.impersonation", "glide.sys.log_impersonation", "Impersonation is logged from start to end", True,
        "medium 6.4", 1, fallback=False
    ),
    LOGGING.boolean(
        "log.impersonation_history", "identity.impersonation.history.enabled", "Impersonation is recorded in a history", True,
        "medium 4.9", 8, shipped_default=True, fallback=True
    ),
    LOGGING.boolean(
        "log.impersonation_audit", "glide.audit.track_impersonation", "Audit records include the impersonating user", True,
        "medium 4.9", 8, shipped_default=False, fallback=False
    ),
    LOGGING.boolean(
        "log.session_audit", "glide.authenticate.session_access.log_audit_event",
        "Decisions of session policies are logged", True, "medium 6.3", 2, fallback=True
    ),
    LOGGING.boolean(
        "log.identity_audit", "glide.identity.security.audit.enabled", "The identity audit is on", True, "medium 4.6",
        8, fallback=True
    ),
    LOGGING.boolean(
        "log.protected_tables", "com.glide.security.protected_table.enabled", "Log tables are protected from change",
        True, "medium 4.0", 2, fallback=False
    ),
    LOGGING.boolean("log.sql_errors", "glide.db.loguser", "Users see no SQL errors", False, "low 3.1", 1, fallback=True),
    LOGGING.boolean(
        "log.import_errors", "glide.import.error_message.generic", "Import errors reveal no internal details", True,
        "low 3.1", 1, fallback=False
    ),
    LOGGING.boolean(
        "log.sandbox", "glide.security.sandbox_no_logging", "Sandboxed scripts write no log", True, "low 2.2", 1,
        fallback=False
    ),
    LOGGING.boolean(
        "log.outbound_fields", "glide.outbound_http.security.log.allow.all.fields",
        "Sensitive headers of outbound calls are not logged", False, "medium 6.8", 1, shipped_default=False,
        left="Security Center 1.3.2"
    ),
    LOGGING.boolean(
        "log.outbound_override", "glide.outbound_http_log.override",
        "The logging of outbound calls is not overridden", False, "medium 5.0", 6, fallback=False
    ),
    LOGGING.text(
        "log.outbound_level", "glide.outbound_http_log.override.level", "Outbound calls are logged in brief",
        ["basic", ""], "medium 5.0", 6, comparator="in", fallback=""
    ),
    LOGGING.record(
        "boolean", "log.mid_audit", "ecc_agent_property: mid.log.command_audit.enable",
        "MID Servers log the commands they run", True, "medium 4.4", 2, shipped_default=False, fallback=False,
        group="app:mid_server", note="Stored for each MID Server in ecc_agent_property"
    ),
    CONFIGURATION.boolean(
        "soap.fault_stack_trace", "glide.soapfault.display_stack_trace",
        "SOAP faults show no stack trace", False, "medium 4.3", 1, fallback=False
    ),
    CONFIGURATION.boolean(
        "acl.catalog_add_item", "glide.sc.request.add_item_write_access",
        "Adding an item to a request requires write access to it", True, "medium 4.3", 2, fallback=False
    ),
    CONFIGURATION.boolean(
        "auth.sso_debug", "glide.authenticate.multisso.debug", "Single sign-on writes no debug log", False,
        "medium 4.0", 1, fallback=False
    ),
    CONFIGURATION.boolean(
        "browser.x_frame", "glide.set_x_frame_options", "Pages of the instance can be framed only by its own pages", True,
        "medium 5.9", 1, fallback=False, elevated=True, side_effects="Portals that show the instance in a frame"
    ),
    CONFIGURATION.text(
        "browser.x_frame_va", "com.glide.cs.embed.xframe_options", "The embedded chat restricts which pages can frame it",
        ["DENY", "SAMEORIGIN"], "low 3.1", 1, comparator="in", fallback=""
    ),
    CONFIGURATION.boolean(
        "browser.content_type_options", "glide.security.header.auto_set_x_content_type_options",
        "Browsers do not guess content types", True, "high 7.3", 1, shipped_default=False, locked=True,
        left="Security Center 1.3.3", note="Customers cannot change it"
    ),
    CONFIGURATION.text(
        "browser.referrer", "com.glide.security.referrerpolicy", "The referrer policy is that of the platform",
        "default", "medium 4.3", 2, shipped_default="default", fallback="default"
    ),
    CONFIGURATION.text(
        "browser.cache_control", "glide.http.cache_control", "Shared caches store nothing", "private", "high 4.3", 1,
        shipped_default="private", left="Security Center 1.5, but Microsoft still scores it",
        control="httpCacheControl"
    ),
    CONFIGURATION.boolean(
        "browser.jquery_ui_legacy", "glide.jquery_ui.legacy", "jQuery UI is the patched one", False, "low 3.9", 6,
        shipped_default=False, fallback=True
    ),
    CONFIGURATION.boolean(
        "log.write_locks", "glide.security.explain.write.locks", "The reason why a field is read-only is hidden", False,
        "low 3.3", 1, fallback=False
    ),
    CONFIGURATION.boolean(
        "log.diag_pages", "glide.security.diag_txns_acl", "Diagnostic pages such as stats.do require access rights", True,
        "medium 5.3", 1, fallback=True, elevated=True, side_effects="Monitoring that does not sign in"
    ),
    CONFIGURATION.boolean(
        "instance.clone_target", "glide.db.clone.allow_clone_target", "No clone overwrites a production instance",
        False, "medium 4.4", 2, shipped_default=True, fallback=True
    ),
)  # fmt: skip
