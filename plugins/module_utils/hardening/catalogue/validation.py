# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation, sanitization and encoding of what comes in and what is shown."""

from __future__ import annotations

from .setting import Category

VALIDATION = Category("Validation, sanitization, and encoding")

SETTINGS = (
    VALIDATION.plugin(
        "plugin.packages_call_removal", "com.glide.script.packages_call_removal",
        "The tool that replaces script calls into Java packages is there", "medium", 1
    ),
    VALIDATION.switch(
        "soap.unescape_response", "glide.soaprequest.unescape_xml_response", "XML inside SOAP answers stays escaped",
        False, "medium 6.4", 1, shipped_default=False, left="baseline 7.0"
    ),
    VALIDATION.text(
        "acl.security_manager_class", "glide.security.manager", "Access is judged by the contextual security engine",
        "com.glide.sys.security.ContextualSecurityManager", "high 7.2", 2, irreversible=True
    ),
    VALIDATION.switch(
        "acl.empty_acl_popup", "glide.security.empty_acl.popup_window.enabled",
        "An access rule without role, condition and script cannot be saved by mistake", True, "medium 6.5", 5,
        shipped_default=True
    ),
    VALIDATION.text(
        "auth.ldap_initial_dn", "glide.ldap.initial.dn", "No bind name lies in the properties", "", "low 2.7", 1,
        comparator="empty", shipped_default="", left="baseline 5.0"
    ),
    VALIDATION.switch(
        "session.secure_cookie", "glide.ui.secure_cookies", "Cookies are checked for form and integrity", True,
        "high 7.1", 1, fallback=True, irreversible=True, elevated=True
    ),
    VALIDATION.switch(
        "browser.svg_csp", "com.glide.csp.self_script_src_svg", "Scripts in SVG files do not run", True, "high 7.1",
        2, fallback=False
    ),
    VALIDATION.switch(
        "browser.relative_links", "glide.cms.catalog_uri_relative",
        "The catalog page follows relative addresses only", True, "low 2.6", 1, fallback=False, elevated=True
    ),
    VALIDATION.switch(
        "browser.contextual_search", "com.snc.contextual_search.cxs_new_window.force_relative_link",
        "Search results open relative addresses only", True, "medium 3.1", 7, shipped_default=True, fallback=False
    ),
    VALIDATION.switch(
        "browser.url_allow_strict", "glide.security.url.whitelist.strict_check", "Redirects go to listed hosts only",
        True, "medium 6.3", 1, fallback=True, breaks="Redirects after sign-out to a host that is not listed"
    ),
    VALIDATION.words(
        "browser.url_allow_list", "glide.security.url.whitelist", "Hosts that redirects may go to", "", "medium 6.3",
        1, comparator="review", fallback=""
    ),
    VALIDATION.switch(
        "browser.external_content", "glide.ui.url.external.content", "Chat fetches no previews from outside", False,
        "high 7.2", 1, fallback=False
    ),
    VALIDATION.switch(
        "input.sandbox", "glide.script.use.sandbox", "Scripts from clients run in a sandbox", True, "critical 9.8",
        "xanadu", gone_from="zurich", irreversible=True, left="Zurich, being always on", control="scriptUseSandbox"
    ),
    VALIDATION.switch(
        "input.ajax_evaluate", "glide.script.allow.ajaxevaluate", "Clients send no scripts to evaluate", False,
        "high 7.3", 1, fallback=False, irreversible=True, elevated=True
    ),
    VALIDATION.switch(
        "input.code_tag", "glide.ui.security.allow_codetag", "Journals show no HTML from a code tag", False,
        "medium 4.2", 1, shipped_default=True
    ),
    VALIDATION.switch(
        "input.code_tag_script", "glide.ui.security.codetag.allow_script", "Journals run no JavaScript", False,
        "high", 1, fallback=True, irreversible=True, locked=True, elevated=True, note="Changed by support only"
    ),
    VALIDATION.text(
        "input.html_check", "com.glide.security.check_unsanitized_html",
        "Translated HTML is cleaned as it is written", "enforce", "high 7.3", 1, fallback="log_only",
        irreversible=True, elevated=True
    ),
    VALIDATION.switch(
        "input.html_sanitize", "glide.html.sanitize_all_fields", "HTML fields are sanitized", True, "high 8.8", 1,
        shipped_default=True
    ),
    VALIDATION.switch(
        "input.html_sanitize_translated", "glide.translated_html.sanitize_all_fields",
        "Translated HTML fields are sanitized", True, "medium 4.6", 5, fallback=False
    ),
    VALIDATION.switch(
        "input.html_sanitize_chat", "com.glide.cs.html.sanitizer.enabled", "Chat is sanitized", True, "high 8.0", 1,
        fallback=True, irreversible=True
    ),
    VALIDATION.switch(
        "input.escape_list_html", "glide.ui.escape_html_list_field", "Lists escape HTML columns", True, "high 3.1", 1,
        shipped_default=True, irreversible=True, elevated=True
    ),
    VALIDATION.switch(
        "input.escape_script", "glide.html.escape_script", "HTML columns show script tags as text", True, "high 8.8",
        1, shipped_default=True, irreversible=True, elevated=True
    ),
    VALIDATION.switch(
        "input.escape_jelly", "glide.ui.escape_all_script", "Jelly pages escape scripts", True, "high 7.3", 1,
        shipped_default=True, elevated=True, breaks="Own Jelly pages"
    ),
    VALIDATION.switch(
        "input.escape_text", "glide.ui.escape_text", "XML values are escaped before they are shown", True, "high 8.8",
        1, fallback=False, irreversible=True, locked=True, elevated=True,
        note="Fixed at the safe value since Vancouver"
    ),
    VALIDATION.switch(
        "input.escape_scratchpad", "glide.ui.escape_scratchpad", "The scratchpad is escaped", True, "medium 6.5", 1,
        fallback=True
    ),
    VALIDATION.switch(
        "input.escape_formula", "glide.export.escape_formulas", "Exports disarm spreadsheet formulas", True,
        "medium 6.4", 1, shipped_default=False,
        breaks="Readers of exports that expect values to begin with = + - or @"
    ),
    VALIDATION.switch(
        "input.jelly_js", "glide.ui.jelly.js_interpolation.protect", "JavaScript that Jelly inserts is protected",
        True, "critical 9.0", 8, fallback=False, irreversible=True
    ),
    VALIDATION.switch(
        "input.jelly_js_nested", "glide.ui.jelly.js_interpolation.protect_nested_expressions",
        "JavaScript that nested Jelly expressions insert is protected", True, "critical 9.0", 8, shipped_default=True,
        fallback=False, irreversible=True
    ),
    VALIDATION.switch(
        "input.xml_entity_resolution", "glide.stax.allow_entity_resolution",
        "XML entities from outside are not fetched", False, "critical 9.0", 1, shipped_default=False, fallback=True,
        irreversible=True
    ),
    VALIDATION.switch(
        "input.xml_entity_allow_stax", "glide.stax.whitelist_enabled", "StAX reads XML entities of listed hosts only",
        True, "critical 9.8", 1, shipped_default=True, irreversible=True
    ),
    VALIDATION.switch(
        "input.xml_entity_allow", "glide.xml.entity.whitelist.enabled",
        "The list of hosts for XML entities is in force", True, "critical 9.8", 1, fallback=True, irreversible=True
    ),
    VALIDATION.words(
        "input.xml_entity_allow_list", "glide.xml.entity.whitelist", "XML entities come from one known host",
        "http://java.sun.com/j2ee/dtds/", "critical 9.8", 1, fallback="http://java.sun.com/j2ee/dtds/",
        irreversible=True
    ),
    VALIDATION.number(
        "input.xml_expansion_max", "glide.xmlutil.max_entity_expansion", "XML entities expand up to a limit", 3000,
        "medium 5.3", 1, fallback=3000
    ),
    VALIDATION.record(
        "string", "input.java_packages", "(table of allowed Java packages)", "Scripts reach no further Java packages",
        "", "high 8.2", 1, comparator="review", left="baseline 6.0"
    ),
    VALIDATION.switch(
        "input.ui_page_messages", "glide.script.ui_page.customer_scoped.security_msgs_enabled",
        "Developers are warned of risky UI pages", True, "medium 5.3", 6, shipped_default=True, fallback=True
    ),
    VALIDATION.switch(
        "files.force_download", "glide.ui.attachment.force_download_all_mime_types",
        "Every attachment is downloaded, none opened in the browser", True, "medium 6.4", 1, fallback=False,
        elevated=True,
        note="The documentation swaps the names of this property and the next; told apart by type and text"
    ),
    VALIDATION.words(
        "files.force_download_list", "glide.ui.attachment.download_mime_types",
        "Dangerous types of attachment are downloaded",
        ["text/html", "image/svg", "image/svg+xml", "application/xml"], "medium 6.3", 1, comparator="contains_all",
        shipped_default="text/html,image/svg,image/svg+xml,application/xml",
        fallback="text/html,image/svg,image/svg+xml,application/xml", elevated=True,
        note="Matters while files.force_download is off; names as there"
    ),
    VALIDATION.switch(
        "files.mime_validation", "glide.security.file.mime_type.validation", "An upload is what its name says", True,
        "medium 5.4", 1, fallback=False
    ),
    VALIDATION.switch(
        "files.polyglot", "glide.attachment.enable_secure_filename_validation",
        "A second file extension does not mislead the check", True, "medium 4.6", 8, shipped_default=False,
        fallback=False
    ),
    VALIDATION.words(
        "app.impact_tags", "sn_impact_common.blacklist_tags_HTML_injection",
        "Impact descriptions lose dangerous markup",
        ["script", "iframe", "object", "embed", "form", "onerror", "onload"], "medium 4.4", 7,
        comparator="contains_all",
        shipped_default="script,iframe,object,embed,form,onerror,onload,style,img,video,audio,source,button",
        group="app:impact"
    ),
    VALIDATION.words(
        "app.impact_links", "sn_impact_common.whitelisted.url_HTML_injection",
        "Hosts that Impact descriptions may link to", "", "medium 4.4", 7, comparator="review", group="app:impact"
    ),
)  # fmt: skip
