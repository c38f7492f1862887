# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation, sanitization and encoding of input and output."""

from __future__ import annotations

from .setting import Category

VALIDATION = Category("Validation, sanitization, and encoding")

SETTINGS = (
    VALIDATION.plugin(
        "plugin.packages_call_removal", "com.glide.script.packages_call_removal",
        "The tool that replaces script calls into Java packages is active", "medium", 1
    ),
    VALIDATION.boolean(
        "soap.unescape_response", "glide.soaprequest.unescape_xml_response", "XML inside SOAP responses stays escaped",
        False, "medium 6.4", 1, shipped_default=False, left="baseline 7.0"
    ),
    VALIDATION.text(
        "acl.security_manager_class", "glide.security.manager", "Access is evaluated by the contextual security engine",
        "com.glide.sys.security.ContextualSecurityManager", "high 7.2", 2, irreversible=True
    ),
    VALIDATION.boolean(
        "acl.empty_acl_popup", "glide.security.empty_acl.popup_window.enabled",
        "An access rule without role, condition and script cannot be saved by mistake", True, "medium 6.5", 5,
        shipped_default=True
    ),
    VALIDATION.text(
        "auth.ldap_initial_dn", "glide.ldap.initial.dn", "No LDAP bind name is stored in the properties", "", "low 2.7", 1,
        comparator="empty", shipped_default="", left="baseline 5.0"
    ),
    VALIDATION.boolean(
        "session.secure_cookie", "glide.ui.secure_cookies", "Cookies are checked for form and integrity", True,
        "high 7.1", 1, fallback=True, irreversible=True, elevated=True
    ),
    VALIDATION.boolean(
        "browser.svg_csp", "com.glide.csp.self_script_src_svg", "Scripts in SVG files do not run", True, "high 7.1",
        2, fallback=False
    ),
    VALIDATION.boolean(
        "browser.relative_links", "glide.cms.catalog_uri_relative",
        "The catalog page follows relative addresses only", True, "low 2.6", 1, fallback=False, elevated=True
    ),
    VALIDATION.boolean(
        "browser.contextual_search", "com.snc.contextual_search.cxs_new_window.force_relative_link",
        "Search results open relative addresses only", True, "medium 3.1", 7, shipped_default=True, fallback=False
    ),
    VALIDATION.boolean(
        "browser.url_allow_strict", "glide.security.url.whitelist.strict_check", "Redirects go to listed hosts only",
        True, "medium 6.3", 1, fallback=True, side_effects="Redirects after sign-out to a host that is not listed"
    ),
    VALIDATION.value_list(
        "browser.url_allow_list", "glide.security.url.whitelist", "Hosts that are allowed as redirect targets", "", "medium 6.3",
        1, comparator="review", fallback=""
    ),
    VALIDATION.boolean(
        "browser.external_content", "glide.ui.url.external.content", "Chat fetches no external previews", False,
        "high 7.2", 1, fallback=False
    ),
    VALIDATION.boolean(
        "input.sandbox", "glide.script.use.sandbox", "Scripts from clients run in a sandbox", True, "critical 9.8",
        "xanadu", gone_from="zurich", irreversible=True, left="Zurich, where it is always on", control="scriptUseSandbox"
    ),
    VALIDATION.boolean(
        "input.ajax_evaluate", "glide.script.allow.ajaxevaluate", "Clients send no scripts to evaluate", False,
        "high 7.3", 1, fallback=False, irreversible=True, elevated=True
    ),
    VALIDATION.boolean(
        "input.code_tag", "glide.ui.security.allow_codetag", "Journals show no HTML from a code tag", False,
        "medium 4.2", 1, shipped_default=True
    ),
    VALIDATION.boolean(
        "input.code_tag_script", "glide.ui.security.codetag.allow_script", "Journals run no JavaScript", False,
        "high", 1, fallback=True, irreversible=True, locked=True, elevated=True, note="Changed by support only"
    ),
    VALIDATION.text(
        "input.html_check", "com.glide.security.check_unsanitized_html",
        "Translated HTML is cleaned as it is written", "enforce", "high 7.3", 1, fallback="log_only",
        irreversible=True, elevated=True
    ),
    VALIDATION.boolean(
        "input.html_sanitize", "glide.html.sanitize_all_fields", "HTML fields are sanitized", True, "high 8.8", 1,
        shipped_default=True
    ),
    VALIDATION.boolean(
        "input.html_sanitize_translated", "glide.translated_html.sanitize_all_fields",
        "Translated HTML fields are sanitized", True, "medium 4.6", 5, fallback=False
    ),
    VALIDATION.boolean(
        "input.html_sanitize_chat", "com.glide.cs.html.sanitizer.enabled", "Chat is sanitized", True, "high 8.0", 1,
        fallback=True, irreversible=True
    ),
    VALIDATION.boolean(
        "input.escape_list_html", "glide.ui.escape_html_list_field", "Lists escape HTML columns", True, "high 3.1", 1,
        shipped_default=True, irreversible=True, elevated=True
    ),
    VALIDATION.boolean(
        "input.escape_script", "glide.html.escape_script", "HTML columns show script tags as text", True, "high 8.8",
        1, shipped_default=True, irreversible=True, elevated=True
    ),
    VALIDATION.boolean(
        "input.escape_jelly", "glide.ui.escape_all_script", "Jelly pages escape scripts", True, "high 7.3", 1,
        shipped_default=True, elevated=True, side_effects="Custom Jelly pages"
    ),
    VALIDATION.boolean(
        "input.escape_text", "glide.ui.escape_text", "XML values are escaped before they are shown", True, "high 8.8",
        1, fallback=False, irreversible=True, locked=True, elevated=True,
        note="Fixed at the safe value since Vancouver"
    ),
    VALIDATION.boolean(
        "input.escape_scratchpad", "glide.ui.escape_scratchpad", "The scratchpad is escaped", True, "medium 6.5", 1,
        fallback=True
    ),
    VALIDATION.boolean(
        "input.escape_formula", "glide.export.escape_formulas", "Exports disarm spreadsheet formulas", True,
        "medium 6.4", 1, shipped_default=False,
        side_effects="Consumers of exports that expect values to begin with = + - or @"
    ),
    VALIDATION.boolean(
        "input.jelly_js", "glide.ui.jelly.js_interpolation.protect", "JavaScript that Jelly inserts is protected",
        True, "critical 9.0", 8, fallback=False, irreversible=True
    ),
    VALIDATION.boolean(
        "input.jelly_js_nested", "glide.ui.jelly.js_interpolation.protect_nested_expressions",
        "JavaScript that nested Jelly expressions insert is protected", True, "critical 9.0", 8, shipped_default=True,
        fallback=False, irreversible=True
    ),
    VALIDATION.boolean(
        "input.xml_entity_resolution", "glide.stax.allow_entity_resolution",
        "External XML entities are not fetched", False, "critical 9.0", 1, shipped_default=False, fallback=True,
        irreversible=True
    ),
    VALIDATION.boolean(
        "input.xml_entity_allow_stax", "glide.stax.whitelist_enabled", "StAX reads XML entities of listed hosts only",
        True, "critical 9.8", 1, shipped_default=True, irreversible=True
    ),
    VALIDATION.boolean(
        "input.xml_entity_allow", "glide.xml.entity.whitelist.enabled",
        "The list of hosts for XML entities is enforced", True, "critical 9.8", 1, fallback=True, irreversible=True
    ),
    VALIDATION.value_list(
        "input.xml_entity_allow_list", "glide.xml.entity.whitelist", "XML entities come from one known host",
        "http://java.sun.com/j2ee/dtds/", "critical 9.8", 1, fallback="http://java.sun.com/j2ee/dtds/",
        irreversible=True
    ),
    VALIDATION.integer(
        "input.xml_expansion_max", "glide.xmlutil.max_entity_expansion", "XML entities expand up to a limit", 3000,
        "medium 5.3", 1, fallback=3000
    ),
    VALIDATION.record(
        "string", "input.java_packages", "(table of allowed Java packages)", "Scripts cannot access further Java packages",
        "", "high 8.2", 1, comparator="review", left="baseline 6.0"
    ),
    VALIDATION.boolean(
        "input.ui_page_messages", "glide.script.ui_page.customer_scoped.security_msgs_enabled",
        "Developers are warned of risky UI pages", True, "medium 5.3", 6, shipped_default=True, fallback=True
    ),
    VALIDATION.boolean(
        "files.force_download", "glide.ui.attachment.force_download_all_mime_types",
        "Every attachment is downloaded, none opened in the browser", True, "medium 6.4", 1, fallback=False,
        elevated=True,
        note="The documentation swaps the names of this property and the next; identified by type and description"
    ),
    VALIDATION.value_list(
        "files.force_download_list", "glide.ui.attachment.download_mime_types",
        "Dangerous types of attachment are downloaded",
        ["text/html", "image/svg", "image/svg+xml", "application/xml"], "medium 6.3", 1, comparator="contains_all",
        shipped_default="text/html,image/svg,image/svg+xml,application/xml",
        fallback="text/html,image/svg,image/svg+xml,application/xml", elevated=True,
        note="Matters while files.force_download is off; names as there"
    ),
    VALIDATION.boolean(
        "files.mime_validation", "glide.security.file.mime_type.validation", "The content of uploads matches the file extension", True,
        "medium 5.4", 1, fallback=False
    ),
    VALIDATION.boolean(
        "files.polyglot", "glide.attachment.enable_secure_filename_validation",
        "Double file extensions are detected", True, "medium 4.6", 8, shipped_default=False,
        fallback=False
    ),
    VALIDATION.value_list(
        "app.impact_tags", "sn_impact_common.blacklist_tags_HTML_injection",
        "Dangerous markup is removed from Impact descriptions",
        ["script", "iframe", "object", "embed", "form", "onerror", "onload"], "medium 4.4", 7,
        comparator="contains_all",
        shipped_default="script,iframe,object,embed,form,onerror,onload,style,img,video,audio,source,button",
        group="app:impact"
    ),
    VALIDATION.value_list(
        "app.impact_links", "sn_impact_common.whitelisted.url_HTML_injection",
        "Hosts that Impact descriptions can link to", "", "medium 4.4", 7, comparator="review", group="app:impact"
    ),
)  # fmt: skip
