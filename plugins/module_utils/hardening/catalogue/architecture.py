# SPDX-License-Identifier: GPL-3.0-or-later
"""Architecture: defaults of access, queries, tokens, libraries, addresses."""

from __future__ import annotations

from .setting import Category

ARCHITECTURE = Category("Architecture, design, and threat modeling")

SETTINGS = (
    ARCHITECTURE.boolean(
        "request_auth.databroker", "glide.basicauth.required.databrokerrestapiprocessor",
        "Data Broker REST requests require authentication", True, "high 8.6", 1, shipped_default=True, fallback=False,
        irreversible=True
    ),
    ARCHITECTURE.text(
        "acl.default_mode", "glide.sm.default_mode", "What no access rule allows is denied", "deny", "medium 6.3", 1,
        irreversible=True, control="smDefaultMode",
        side_effects="Tables without access rules become inaccessible except to admin",
        note="Microsoft's recommendation lists true; the property accepts allow or deny, and deny is meant"
    ),
    ARCHITECTURE.boolean(
        "acl.field_acl_export_query", "glide.export.query.enforce_field_acl",
        "Filters of inbound queries respect field rules", True, "medium 4.4", 1, fallback=False
    ),
    ARCHITECTURE.boolean(
        "acl.cross_scope_legacy", "glide.record.legacy_cross_scope_access_policy_in_script",
        "Legacy cross-scope access of scripts is disabled", False, "medium 5.0", 2, fallback=True
    ),
    ARCHITECTURE.boolean(
        "acl.query_sub_lists", "com.glide.security.query_acl.enabled.sub_lists", "Embedded lists respect query rules",
        True, "medium 5.3", "zurich", fallback=True
    ),
    ARCHITECTURE.boolean(
        "acl.query_list_count", "com.glide.security.query_acl.enabled.list_count",
        "Counts of lists respect query rules", True, "medium 5.3", "zurich", fallback=True
    ),
    ARCHITECTURE.boolean(
        "acl.query_data_table", "glide.security.query_acl.enabled.data_table",
        "The data table widget respects query rules", True, "medium 5.3", "zurich", fallback=True
    ),
    ARCHITECTURE.boolean(
        "acl.query_knowledge_links", "com.glide.security.query_acl.enabled.knowledge_quick_links",
        "Quick links to knowledge respect query rules", True, "medium 5.3", "zurich", shipped_default=True,
        fallback=True
    ),
    ARCHITECTURE.text(
        "acl.report_view_read", "glide.report.report_view.read_acl",
        "A report view shows only what its reader can read", "enforce", "high 7.1", 1, shipped_default="enforce",
        fallback="enforce"
    ),
    ARCHITECTURE.boolean(
        "acl.published_reports", "glide.report.published_reports.enabled", "Reports cannot be published to all users",
        False, "medium 6.5", 1, fallback=True, side_effects="Links to published reports stop working"
    ),
    ARCHITECTURE.boolean(
        "acl.favorites_public", "glide.ui.magellan.favorites.allow_public",
        "Favourites of the navigator are not public", False, "medium 4.3", "australia", fallback=False
    ),
    ARCHITECTURE.boolean(
        "acl.query_choice", "glide.ui.query_string.enforce_valid_choice_on_create",
        "Invalid choices in a URL are ignored when a record is created", True, "low 2.2", 7, comparator="review",
        shipped_default=False, note="The documentation contradicts itself about the value, so it is never enforced"
    ),
    ARCHITECTURE.boolean(
        "network.ip_strict", "glide.ip.authenticate.strict", "The vendor's own address list is cut to the core", True,
        "medium 4.3", 1, comparator="review", fallback=False, locked=True,
        note="The documentation recommends it and states that customers cannot set it"
    ),
    ARCHITECTURE.value_list(
        "network.ip_custom_inbound", "glide.custom.ip.authenticate.allow",
        "Further addresses for inbound access; none recommended", "", "medium 4.3", "australia", comparator="review",
        note="The documentation has the same text as for the outbound list"
    ),
    ARCHITECTURE.value_list(
        "network.ip_custom_outbound", "glide.custom.ip.outbound.authenticate.allow",
        "Further addresses for outbound access; none recommended", "", "medium 4.3", "australia", comparator="review"
    ),
    ARCHITECTURE.boolean(
        "network.self_hosted_allow", "glide.ip.authenticate.allow.self_hosted_enabled",
        "The address list for self-hosted instances is off", False, "medium 4.3", "australia", fallback=False,
        side_effects="On a self-hosted instance its own address list is no longer used",
        note="true belongs on self-hosted instances and breaks others"
    ),
    ARCHITECTURE.boolean(
        "network.self_hosted_secured", "glide.ip.authenticate.allow.secured.self_hosted_enabled",
        "The secured address list for self-hosted instances is off", False, "medium 4.3", "australia", fallback=False,
        side_effects="On a self-hosted instance its own address list is no longer used",
        note="true belongs on self-hosted instances only"
    ),
    ARCHITECTURE.boolean(
        "oauth.restricted_binding", "glide.oauth.enforce_restricted_binding_for_ui",
        "An API token cannot open UI pages", True, "medium 5.0", 7, shipped_default=False, fallback=False
    ),
    ARCHITECTURE.boolean(
        "oauth.token_cleanup", "com.snc.platform.security.token.auth.cleanup",
        "Expired API keys and HMAC secrets are removed", True, "medium 5.1", 5, fallback=True
    ),
    ARCHITECTURE.integer(
        "oauth.token_cleanup_hmac_days", "com.snc.platform.security.token.auth.days.expired.hmac_secret.is.kept",
        "Expired HMAC secrets are kept for a limited number of days", 7, "medium 5.1", 5, fallback=7
    ),
    ARCHITECTURE.integer(
        "oauth.token_cleanup_key_days", "com.snc.platform.security.token.auth.days.expired.api_key.is.kept",
        "Expired API keys are kept for a limited number of days", 7, "medium 5.1", 5, fallback=7
    ),
    ARCHITECTURE.boolean(
        "csrf.user_pref", "glide.security.userpref_csrf_check.enable",
        "User preferences are protected by the CSRF token", True, "medium 4.3", 8, shipped_default=True,
        fallback=False
    ),
    ARCHITECTURE.boolean(
        "browser.jquery_legacy", "glide.jquery.legacy", "jQuery is the patched one", False, "high 7.1", 1,
        fallback=True, side_effects="Custom pages that depend on the old jQuery"
    ),
    ARCHITECTURE.boolean(
        "browser.angular_legacy", "glide.angular.legacy", "AngularJS is the patched one", False, "high 7.1", 1,
        left="baseline 6.0"
    ),
    ARCHITECTURE.boolean(
        "app.hr_impersonate", "sn_hr_core.impersonateCheck", "Impersonating users cannot read HR cases", True, "low 2.7", 2,
        shipped_default=False, left="baseline 6.0", group="app:sn_hr_core"
    ),
)  # fmt: skip
