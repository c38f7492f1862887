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
        "Logs and audit rows cannot be changed or deleted, whatever the role", "medium", "",
        left="was never part of it", breaks="Rows can then be cleaned up only by the platform's own cleaner"
    ),
    LOGGING.switch(
        "session.cookie_debug", "glide.secure_cookie.debug", "Cookies write no debug log", False, "medium 4.2", 1,
        fallback=False
    ),
    LOGGING.switch(
        "input.html_sanitize_log", "glide.html_sanitize.discarded_log.enable", "What the sanitizer removes is logged",
        True, "low 2.4", 1, shipped_default=True, left="baseline 5.0"
    ),
    LOGGING.switch(
        "log.impersonation", "glide.sys.log_impersonation", "Impersonation is logged from start to end", True,
        "medium 6.4", 1, fallback=False
    ),
    LOGGING.switch(
        "log.impersonation_history", "identity.impersonation.history.enabled", "Impersonation leaves a history", True,
        "medium 4.9", 8, shipped_default=True, fallback=True
    ),
    LOGGING.switch(
        "log.impersonation_audit", "glide.audit.track_impersonation", "Audit rows name who impersonated", True,
        "medium 4.9", 8, shipped_default=False, fallback=False
    ),
    LOGGING.switch(
        "log.session_audit", "glide.authenticate.session_access.log_audit_event",
        "Decisions of session policies are logged", True, "medium 6.3", 2, fallback=True
    ),
    LOGGING.switch(
        "log.identity_audit", "glide.identity.security.audit.enabled", "The identity audit is on", True, "medium 4.6",
        8, fallback=True
    ),
    LOGGING.switch(
        "log.protected_tables", "com.glide.security.protected_table.enabled", "Log tables are protected from change",
        True, "medium 4.0", 2, fallback=False
    ),
    LOGGING.switch("log.sql_errors", "glide.db.loguser", "Users see no SQL errors", False, "low 3.1", 1, fallback=True),
    LOGGING.switch(
        "log.import_errors", "glide.import.error_message.generic", "Import errors tell nothing of the inside", True,
        "low 3.1", 1, fallback=False
    ),
    LOGGING.switch(
        "log.sandbox", "glide.security.sandbox_no_logging", "Sandboxed scripts write no log", True, "low 2.2", 1,
        fallback=False
    ),
    LOGGING.switch(
        "log.outbound_fields", "glide.outbound_http.security.log.allow.all.fields",
        "Sensitive headers of outbound calls are not logged", False, "medium 6.8", 1, shipped_default=False,
        left="Security Center 1.3.2"
    ),
    LOGGING.switch(
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
        group="app:mid_server", note="Kept for each MID Server in ecc_agent_property"
    ),
    CONFIGURATION.switch(
        "soap.fault_stack_trace", "glide.soapfault.display_stack_trace",
        "SOAP faults show no stack trace of the server", False, "medium 4.3", 1, fallback=False
    ),
    CONFIGURATION.switch(
        "acl.catalog_add_item", "glide.sc.request.add_item_write_access",
        "Adding to a request takes the right to write it", True, "medium 4.3", 2, fallback=False
    ),
    CONFIGURATION.switch(
        "auth.sso_debug", "glide.authenticate.multisso.debug", "Single sign-on writes no debug log", False,
        "medium 4.0", 1, fallback=False
    ),
    CONFIGURATION.switch(
        "browser.x_frame", "glide.set_x_frame_options", "Only the instance's own pages frame its pages", True,
        "medium 5.9", 1, fallback=False, elevated=True, breaks="Portals that show the instance in a frame"
    ),
    CONFIGURATION.text(
        "browser.x_frame_va", "com.glide.cs.embed.xframe_options", "The embedded chat says who may frame it",
        ["DENY", "SAMEORIGIN"], "low 3.1", 1, comparator="in", fallback=""
    ),
    CONFIGURATION.switch(
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
        shipped_default="private", left="Security Center 1.5, while Microsoft goes on scoring it",
        control="httpCacheControl"
    ),
    CONFIGURATION.switch(
        "browser.jquery_ui_legacy", "glide.jquery_ui.legacy", "jQuery UI is the patched one", False, "low 3.9", 6,
        shipped_default=False, fallback=True
    ),
    CONFIGURATION.switch(
        "log.write_locks", "glide.security.explain.write.locks", "Nobody is told why a field is locked", False,
        "low 3.3", 1, fallback=False
    ),
    CONFIGURATION.switch(
        "log.diag_pages", "glide.security.diag_txns_acl", "Diagnostic pages such as stats.do ask for rights", True,
        "medium 5.3", 1, fallback=True, elevated=True, breaks="Monitoring that does not sign in"
    ),
    CONFIGURATION.switch(
        "instance.clone_target", "glide.db.clone.allow_clone_target", "No clone overwrites a production instance",
        False, "medium 4.4", 2, shipped_default=True, fallback=True
    ),
)  # fmt: skip
