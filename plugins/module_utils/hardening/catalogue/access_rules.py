# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control: access rules, queries and scopes."""

from __future__ import annotations

from .setting import Category

ACCESS = Category("Access control")

SETTINGS = (
    ACCESS.boolean(
        "acl.strict_updates", "glide.security.strict.updates", "Write access is checked again when a form is saved",
        True, "high 8.1", 1, fallback=False, irreversible=True, locked=True, elevated=True,
        note="Fixed at the safe value since Vancouver"
    ),
    ACCESS.boolean(
        "acl.strict_actions", "glide.security.strict.actions",
        "The condition of a UI action is checked again before it runs", True, "low 3.3", 1, fallback=True,
        elevated=True
    ),
    ACCESS.boolean(
        "acl.groupby", "glide.security.groupby_acl_check", "Grouping a list respects the access rules of the column",
        True, "low 3.7", 1, shipped_default=True, elevated=True
    ),
    ACCESS.boolean(
        "acl.admin_override_terms", "glide.security.admin.override.accessterm",
        "An access rule without admin override does not cancel that of other rules", True, "low 3.8", 1, fallback=True
    ),
    ACCESS.boolean(
        "acl.scoped_admin_global", "glide.security.scoped_administration.honor_global_acl",
        "Administrators of a scoped application remain under the global access rules", True, "low 3.8", 1,
        fallback=False, note="May no longer be scored: baseline 6.0 drops an entry with nearly this title"
    ),
    ACCESS.boolean(
        "acl.strict_elevation", "glide.security.strict_elevate_privilege",
        "Elevated roles have to be activated manually in every session", True, "medium 6.7", 2, fallback=True,
        side_effects="An API session never has an elevated role by signing in"
    ),
    ACCESS.boolean(
        "acl.archive_tables", "glide.security.enable_archive_table_acls",
        "Archived rows are protected like the live ones", True, "low 3.0", 2, fallback=True
    ),
    ACCESS.boolean(
        "acl.filter_on_new", "com.glide.acl_check_all_filter_on_new",
        "A list filter cannot set fields that the user cannot write", True, "medium 4.8", 8, shipped_default=False,
        fallback=False
    ),
    ACCESS.boolean(
        "acl.sandbox_fields", "glide.sandbox.fields.check_acl", "Sandboxed record access respects field rules", True,
        "high 7.5", 1, shipped_default=True, locked=True, left="baseline 6.0"
    ),
    ACCESS.boolean(
        "acl.scope_dot_walk", "glide.script.dot_walk.add_attribute_on_table_create",
        "New tables check the scope of dot-walked fields", True, "medium 5.3", 8, shipped_default=True
    ),
    ACCESS.boolean(
        "acl.portal_cross_scope_form", "glide.service_portal.enforce_cross_scope_check_in_form",
        "The portal's form widget respects cross-scope rights", True, "low 3.1", 7, shipped_default=True
    ),
    ACCESS.boolean(
        "acl.scope_fencing_shared", "com.glide.script.fencing.cross_scope_access.shared_table_support",
        "Shared tables are fenced by scope", True, "medium 4.3", 5, shipped_default=True,
        note="Doubtful name: page and table of the documentation disagree; see acl.portal_list_query"
    ),
    ACCESS.boolean(
        "acl.portal_list_query", "glide.service_portal.enable_acls_for_encoded_query_in_list",
        "The portal's list widget filters only by columns that the user can read", True, "medium 4.3", 5,
        shipped_default=True, note="Name as in the text of the page; see acl.scope_fencing_shared"
    ),
    ACCESS.boolean(
        "acl.query_db_functions", "glide.db.encoded_query.check_function_field_query_acls",
        "Query rules reach function fields of encoded queries", True, "medium 5.3", 7, fallback=True,
        side_effects="Queries by function fields can find fewer rows"
    ),
    ACCESS.value_list(
        "acl.query_db_functions_list", "glide.db.encoded_query.force_query_range_on_functions",
        "Range rules are forced for the risky database functions",
        ["glidefunction:position", "glidefunction:substring", "glidefunction:concat", "glidefunction:coalesce", "glidefunction:length"],
        "medium 5.3", 7, comparator="contains_all"
    ),
    ACCESS.boolean(
        "acl.report_view_published", "glide.report.report_view.check_published",
        "Published reports pass the report view rules, too", True, "high 7.5", "australia", fallback=True,
        irreversible=True
    ),
    ACCESS.boolean(
        "acl.dashboards_share", "glide.cms.dashboards.sharing_with_secure_search",
        "Sharing a dashboard shows only users that the sharer can see", True, "low 3.5", 2, fallback=False
    ),
    ACCESS.boolean(
        "acl.processor_access", "glide.processors.check_access_before_process",
        "Dashboard processors check rights before they act", True, "medium 6.3", 2, shipped_default=True,
        fallback=True
    ),
    ACCESS.boolean(
        "acl.knowledge_no_criteria", "glide.knowman.block_access_with_no_user_criteria",
        "A knowledge base without user criteria is closed", True, "critical 9.1", 2, fallback=False,
        side_effects="Articles disappear until their knowledge base has user criteria"
    ),
    ACCESS.text(
        "acl.knowledge_feedback", "glide.knowman.show_user_feedback", "Comments of readers stay hidden", "never",
        "low 3.5", 2, fallback="onload"
    ),
    ACCESS.text(
        "acl.live_profile", "glide.live_profile.details", "Profiles show what access rules allow", "ACL",
        "medium 4.3", 1, fallback="ACL"
    ),
    ACCESS.boolean(
        "acl.user_image", "glide.security.strict.user_image_upload",
        "Profile pictures can be replaced only by authorized users", True, "low 3.7", 1, shipped_default=True, fallback=True
    ),
    ACCESS.boolean(
        "acl.image_provider", "glide.image_provider.security_enabled",
        "Attached images require a session and access rights", True, "medium 6.5", 1, shipped_default=True,
        fallback=False
    ),
    ACCESS.text(
        "acl.catalog_requested_for", "glide.sc.req_for.roles.default",
        "Delivery addresses of other users are not shown by default", "deny", "medium 4.2", 1, fallback="deny"
    ),
    ACCESS.boolean(
        "acl.catalog_variable_search", "glide.ais.ingestion.ignore_catalog_variables_read_roles",
        "Search excludes catalog variables restricted to roles", False, "low 2.6", 7, shipped_default=False
    ),
    ACCESS.boolean(
        "acl.email_no_target", "glide.email.email_with_no_target_visible_to_all",
        "Mail records without a target are not visible to all users", False, "medium 6.5", 1, fallback=False
    ),
    ACCESS.boolean(
        "acl.flow_context", "com.snc.process_flow.reporting.require_flow_access",
        "Viewing a flow execution requires access to the flow", True, "low 2.7", 4, fallback=True
    ),
    ACCESS.boolean(
        "acl.import_insert_multiple", "com.glide.import_set_api.insert_multiple_optimize",
        "Bulk imports keep their access checks", False, "medium 6.5", 2, fallback=False
    ),
    ACCESS.boolean(
        "acl.table_api_sys_fields", "glide.rest.table_api.admin_only_sys_fields",
        "Only admin writes sys_ columns by the Table API", True, "low 2.7", 7, shipped_default=False, fallback=False,
        side_effects="Integrations without admin that set sys_ columns, such as dates of creation"
    ),
    ACCESS.boolean(
        "acl.ccsi_public", "glide.script.ccsi.ispublic",
        "Client-callable script includes are private by default", False, "high 7.5", 1, fallback=False,
        irreversible=True, control="scriptCcsiIsPublic", side_effects="Pages without sign-in that call script includes"
    ),
    ACCESS.boolean(
        "acl.ajax_gliderecord", "glide.script.secure.ajaxgliderecord",
        "Queries from the browser are subject to access rules", True, "high 8.1", 1, fallback=True, irreversible=True,
        control="scriptSecureAjaxgliderecord"
    ),
    ACCESS.boolean(
        "acl.impersonation_admin_only", "glide.sys.permissive.impersonate", "Only admin can impersonate", False,
        "medium 6.7", 5, fallback=False, irreversible=True
    ),
    ACCESS.text(
        "acl.background_scripts", "glide.script_processor.admin", "Background scripts are restricted to one role",
        "background_script_admin", "high 8.8", 1, shipped_default="background_script_admin",
        fallback="background_script_admin", irreversible=True
    ),
    ACCESS.boolean(
        "acl.delegated_dev_roles", "com.glide.sys.security.delegateddev.block_grant_roles",
        "Delegated developers' scripts grant no roles", True, "medium 6.7", 1, fallback=True
    ),
    ACCESS.value_list(
        "acl.delegated_dev_tables", "com.glide.dd_allow_global_access_tables",
        "Delegated developers read no more global tables than needed",
        ["wf_activity", "wf_activity_definition", "wf_workflow", "wf_workflow_version", "sp_portal", "sp_widget", "sp_page"],
        "low 2.7", 1, comparator="subset_of",
        shipped_default="wf_activity, wf_activity_definition, wf_workflow, wf_workflow_version, sp_portal, sp_widget, sp_page",
        left="baseline 6.0"
    ),
    ACCESS.boolean(
        "acl.global_app_dev", "sn_g_app_creator.allow_global",
        "Only privileged users create applications in the global scope", False, "low 3.3", 5, fallback=False
    ),
    ACCESS.value_list(
        "acl.portal_widget_allow", "glide.service_portal.widget.allow_list",
        "No portal widget is accessible without a session", "", "low 3.7", 5, comparator="empty", fallback=""
    ),
    ACCESS.value_list(
        "acl.portal_widget_tables", "glide.service_portal.widget.table_allow_list",
        "No table is accessible through public widgets", "", "low 3.7", 5, comparator="empty", fallback=""
    ),
    ACCESS.boolean(
        "acl.cmdb_model_visible", "csm_cmdb_model.customer_visible_flag",
        "Customers see the product models that are meant for them", True, "medium 6.5", 1, fallback=False,
        group="app:customer_service"
    ),
    ACCESS.boolean(
        "acl.domain_join", "glide.sys.domain.include_domain_condition_on_join", "Joins stay inside the user's domain",
        True, "medium 6.5", 1, fallback=False, irreversible=True, note="Applies with domain separation only"
    ),
    ACCESS.value_list(
        "acl.permalink_docs", "com.snc.documents.permalink.allowed_classifications",
        "Permanent links exist for public documents only", "public", "medium 5.3", 7, shipped_default="public",
        fallback=""
    ),
    ACCESS.boolean(
        "acl.jsonp", "angular.jsonp.inclusion_list.enabled", "AngularJS uses JSONP with listed hosts only", True,
        "medium 5.4", "zurich", shipped_default=True
    ),
    ACCESS.value_list(
        "acl.data_generation_tables", "glide.data.generation.excluded.tables",
        "Tables excluded from synthetic data", "", "low 2.6", 7, comparator="review", shipped_default=""
    ),
    ACCESS.record(
        "boolean", "acl.scope_app_data", "glide.enforce_security_scope.<scope>",
        "An application's data is accessible through its own access rules only", True, "medium 4.1", 6, shipped_default=True,
        group="app:any scoped", note="One property for each scope"
    ),
    ACCESS.record(
        "boolean", "acl.scope_impersonate", "<scope>.impersonateCheck",
        "Impersonating users cannot see an application's data", True, "low 3.8", 6, shipped_default=False, fallback=False,
        group="app:any scoped", note="One property for each scope"
    ),
)  # fmt: skip
