# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control except access rules: plugins, sign-in, SOAP, sessions, applications."""

from __future__ import annotations

from .setting import Category

ACCESS = Category("Access control")

SETTINGS = (
    ACCESS.plugin(
        "plugin.high_security", "com.glide.high_security",
        "High security: strict defaults, default deny and the elevated role security_admin", "critical 9.8", 1,
        control="highSecurity",
        side_effects="Alters several hundred settings and how access rules answer; try it on a clone first",
        note="New instances have it; on older ones ServiceNow support activates it on request"
    ),
    ACCESS.plugin(
        "plugin.contextual_security", "com.glide.role_management",
        "Role management by record, context and inheritance", "high 8.1", 1, control="roleManagement",
        also=["com.glide.role_management.inh_count"],
        note="Role Management V2 (com.glide.role_management.inh_count) counts as well"
    ),
    ACCESS.plugin(
        "plugin.security_jump_start", "com.snc.system_security",
        "Starter access rules for system tables that have none", "high 8.1", 1, control="systemSecurity",
        side_effects="Integrations without admin see less of the system tables"
    ),
    ACCESS.plugin(
        "plugin.explicit_roles", "com.glide.explicit_roles",
        "Explicit roles separate internal from external users, so rules without roles no longer match every user",
        "medium", "", left="was never part of it",
        side_effects="Every user gets snc_internal and has to sign in again; access rules and processors without roles are rewritten",
        note="Named in Microsoft's documentation, but not evaluated by a Secure Score control; ordered through the support catalog"
    ),
    ACCESS.plugin(
        "plugin.snc_access_control", "com.snc.snc_access_control",
        "The customer controls access by vendor support", "high 3.3", 1,
        side_effects="Support access has to be granted case by case", note="Ordered through support"
    ),
    ACCESS.plugin(
        "plugin.ip_authenticator", "com.snc.ipauthenticator", "Clients can be allowed or denied by address range",
        "medium 5.3", 1, side_effects="With a deny rule, addresses that are not listed are locked out"
    ),
    ACCESS.boolean(
        "soap.strict_security", "glide.soap.strict_security", "SOAP requests are subject to access rules and the soap roles",
        True, "medium 6.8", 1, fallback=True, elevated=True, control="soapStrictSecurity",
        side_effects="SOAP accounts then need roles such as soap or soap_query"
    ),
    ACCESS.text(
        "soap.guest_user", "com.glide.soap.guest_user", "Anonymous SOAP requests run as an account with few permissions",
        "soap.guest", "high 8.1", 1, shipped_default="soap.guest", fallback="soap.guest"
    ),
    ACCESS.record(
        "string", "network.ip_access_rules", "ip_access", "At least one address rule is active", 1, "medium 5.3", 1,
        comparator="min_active_records",
        side_effects="Callers from other addresses are refused, integrations and administrators alike"
    ),
    ACCESS.boolean(
        "auth.inactive_users", "glide.authenticate.only.allow.active.user.login",
        "Reject sign-ins of inactive accounts", True, "high 7.5", 4, shipped_default=True
    ),
    ACCESS.boolean(
        "auth.email_locked_users", "glide.pop3.process_locked_out", "Mail from locked accounts is ignored", False,
        "high 7.5", 1, fallback=False
    ),
    ACCESS.value_list(
        "auth.ext_reg_domains", "sn_ext_usr_reg.allowed_email_domains", "Only listed mail domains can register", "",
        "high 7.5", 1, comparator="not_empty", group="app:external_registration"
    ),
    ACCESS.boolean(
        "oauth.state_required", "glide.oauth.state.parameter.required", "Authorization requests carry a state", True,
        "medium 4.2", 1, fallback=False, side_effects="OAuth clients that send no state"
    ),
    ACCESS.boolean(
        "session.mobile_policy", "glide.authenticate.session_access.mobile.enabled",
        "Session policies apply to the mobile app", True, "medium 4.7", 4, fallback=True
    ),
    ACCESS.boolean(
        "csrf.token", "glide.security.use_csrf_token", "Requests that change data include a session token", True,
        "high 8.1", 1, shipped_default=True, elevated=True, left="baseline 5.0, as generally expected",
        control="useCsrfToken"
    ),
    ACCESS.boolean(
        "csrf.strict", "glide.security.csrf.strict.validation.mode",
        "An invalid token is rejected without a way to resubmit", True, "medium", 6, shipped_default=True,
        elevated=True, note="A second page rates the same property lower"
    ),
    ACCESS.boolean(
        "csrf.expired_tokens", "glide.security.csrf_previous.allow", "Expired tokens are rejected", False,
        "medium 6.5", 1, shipped_default=False, fallback=True, elevated=True
    ),
    ACCESS.integer(
        "csrf.expiry_seconds", "glide.security.csrf_previous.time_limit", "Previous tokens are accepted for one day at most",
        86400, "medium 5.3", 2, fallback=86400, elevated=True
    ),
    ACCESS.boolean(
        "browser.concourse_origin", "glide.ui.concourse.onmessage_enforce_same_origin",
        "Frames exchange messages within the origin or with listed hosts", True, "medium 4.2", 1,
        shipped_default=True, fallback=False, control="concourseOnmessageEnforceSameOrigin"
    ),
    ACCESS.value_list(
        "browser.concourse_allow", "glide.ui.concourse.onmessage_enforce_same_origin_whitelist",
        "Hosts that can send messages to frames; none recommended", "", "medium 4.2", "australia", comparator="review",
        shipped_default="", fallback=""
    ),
    ACCESS.boolean(
        "input.session_messages", "glide.sandbox.usersession.allow_unsanitized_messages",
        "Sandboxed scripts show no raw HTML", False, "high 8.1", 1, shipped_default=True, fallback=True,
        irreversible=True
    ),
    ACCESS.boolean(
        "input.raw_sql", "glide.db.allow_unsafe_dbi_execute_sql", "Scripts cannot execute raw SQL", False,
        "high 7.2", 1, shipped_default=False, left="baseline 5.0"
    ),
    ACCESS.boolean(
        "instance.production", "glide.installation.production", "A production instance is marked as production", True,
        "medium 6.3", 1, fallback=True, note="For production only: set production to have it evaluated"
    ),
    ACCESS.boolean(
        "instance.live_feed_journal", "glide.live_feed.custom_journal.acl_check_enabled",
        "Activity streams respect the rules of custom journal fields", True, "unrated", 1, shipped_default=True,
        left="baseline 5.0"
    ),
    ACCESS.boolean(
        "ai.skill_roles", "com.glide.one_extend.include_default_roles_for_skill_acl",
        "New AI skills have no default roles", False, "medium 4.2", 8, shipped_default=False, fallback=False,
        group="app:generative_ai"
    ),
    ACCESS.boolean(
        "ai.guardian_external", "sn_aia.external_agent_guardian_check", "External agents are checked by the guardian", True,
        "medium 4.1", 8, shipped_default=True, fallback=True, group="app:generative_ai"
    ),
    ACCESS.boolean(
        "ai.role_masking", "identity.agent.role_masking.enabled", "Agents run with fewer roles than their user", True,
        "medium 5.0", 8, shipped_default=True, fallback=False, group="app:generative_ai"
    ),
    ACCESS.boolean(
        "ai.permission_policy", "sn_ai_security.bedrock_priviledge.permission_policy",
        "A Bedrock role is evaluated by its policy and its boundary", False, "medium 4.8", 8, shipped_default=False,
        fallback=False, group="app:generative_ai", note="false is the safe value; spelled as documented"
    ),
    ACCESS.boolean(
        "ai.voice_guest", "com.glide.cs.voice.chat.disable.guest.impersonate", "Voice chats do not run as guest",
        True, "low 1.9", 8, shipped_default=True, fallback=True, group="app:generative_ai"
    ),
    ACCESS.boolean(
        "ai.voice_mfa", "glide.voice.authenticate.mfa_mandatory", "Callers of a voice agent need a second factor",
        True, "low 3.3", 8, shipped_default=True, fallback=True, group="app:generative_ai"
    ),
    ACCESS.boolean(
        "ai.o365_approval", "sn_itsm_aia.office_365_group_member_approval.required",
        "An agent's change of a group has to be approved", True, "medium 4.9", 7, shipped_default=True, fallback=True,
        group="app:generative_ai"
    ),
    ACCESS.record(
        "boolean", "va.embed_public", "sys_public/04b1905473222300e985658b4cf6a7ef",
        "The page of the embedded chat is not public", False, "high 7.5", 5,
        side_effects="Chat for visitors who are not signed in", note="Compliant as well if the record is missing or inactive"
    ),
    ACCESS.boolean(
        "app.scope_sn_hr_core", "glide.enforce_security_scope.sn_hr_core",
        "Data of HR Core (sn_hr_core) is open by its own access rules only", True, "medium 6.5", 5,
        shipped_default=True, irreversible=True, left="baseline 6.0, for the row that covers every scope",
        group="app:sn_hr_core"
    ),
    ACCESS.boolean(
        "app.scope_sn_hr_le", "glide.enforce_security_scope.sn_hr_le",
        "Data of HR Lifecycle Events (sn_hr_le) is open by its own access rules only", True, "medium 6.5", 5,
        shipped_default=False, irreversible=True, left="baseline 6.0, for the row that covers every scope",
        group="app:sn_hr_le"
    ),
    ACCESS.boolean(
        "app.scope_sn_hr_va", "glide.enforce_security_scope.sn_hr_va",
        "Data of HR virtual agent (sn_hr_va) is open by its own access rules only", True, "medium 6.5", 5,
        shipped_default=False, left="baseline 6.0, for the row that covers every scope", group="app:sn_hr_va"
    ),
    ACCESS.boolean(
        "app.scope_sn_hr_agent_ws", "glide.enforce_security_scope.sn_hr_agent_ws",
        "Data of HR agent workspace (sn_hr_agent_ws) is open by its own access rules only", True, "low 2.7", 4,
        shipped_default=True, left="baseline 6.0, for the row that covers every scope", group="app:sn_hr_agent_ws"
    ),
    ACCESS.boolean(
        "app.scope_sn_gsm", "glide.enforce_security_scope.sn_gsm",
        "Data of Government Service Management (sn_gsm) is open by its own access rules only", True, "medium 4.2", 2,
        shipped_default=True, left="baseline 6.0, for the row that covers every scope", group="app:sn_gsm"
    ),
    ACCESS.boolean(
        "app.scope_sn_gsm_info_req", "glide.enforce_security_scope.sn_gsm_info_req",
        "Data of government information requests (sn_gsm_info_req) is open by its own access rules only", True,
        "medium 4.3", 2, shipped_default=True, left="baseline 6.0, for the row that covers every scope",
        group="app:sn_gsm_info_req"
    ),
    ACCESS.boolean(
        "app.scope_sn_gsm_lic_prmt", "glide.enforce_security_scope.sn_gsm_lic_prmt",
        "Data of government licenses and permits (sn_gsm_lic_prmt) is open by its own access rules only", True,
        "low 2.7", 4, shipped_default=True, left="baseline 6.0, for the row that covers every scope",
        group="app:sn_gsm_lic_prmt"
    ),
    ACCESS.boolean(
        "app.scope_sn_svc_appl_info", "glide.enforce_security_scope.sn_svc_appl_info",
        "Data of service application information (sn_svc_appl_info) is open by its own access rules only", True,
        "medium 4.3", 5, shipped_default=False, left="baseline 6.0, for the row that covers every scope",
        group="app:sn_svc_appl_info"
    ),
    ACCESS.value_list(
        "app.evt_assign_roles", "evt_mgmt.connector_assignment_group_admin_roles",
        "Only listed roles administer the assignment of events", ["admin", "evt_mgmt_admin", "sn_sow_srm.srm_admin"],
        "low 3.1", 4, comparator="subset_of", shipped_default="admin,evt_mgmt_admin,sn_sow_srm.srm_admin",
        fallback="admin,evt_mgmt_admin,sn_sow_srm.srm_admin", group="app:event_management"
    ),
    ACCESS.boolean(
        "app.fsm_query_rules", "sn_fsm.use_query_rules", "Field service lists respect query rules", True,
        "medium 4.3", 4, shipped_default=False, group="app:field_service"
    ),
    ACCESS.value_list(
        "app.jms_factories", "mid.property.jms.command.allowed_factory_names",
        "JMS factories that a MID Server may use", "", "medium 4.1", 2, comparator="review",
        shipped_default="connectionFactory, queueConnectionFactory, topicConnectionFactory", group="app:mid_server"
    ),
)  # fmt: skip
