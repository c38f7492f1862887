# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication: passwords, lock-out, second factor, single sign-on."""

from __future__ import annotations

from .setting import Category

AUTHENTICATION = Category("Authentication")

SETTINGS = (
    AUTHENTICATION.plugin(
        "plugin.saml_sso", "com.snc.integration.sso.saml20.update1", "SAML 2.0 single sign-on is available", "medium",
        "", left="baseline 8.0", note="Matters only where SAML is in use"
    ),
    AUTHENTICATION.plugin(
        "plugin.mfa", "com.snc.integration.multifactor.authentication", "Multi-factor sign-in is available", "high",
        "", left="was never part of it"
    ),
    AUTHENTICATION.boolean(
        "auth.mfa_enabled", "glide.authenticate.multifactor", "Multi-factor sign-in is on", True, "medium 5.7", 1,
        fallback=False, control="authenticateMultifactor",
        side_effects="If glide.authenticate.multifactor.for_integrations is true, enrolled API accounts have to send a code"
    ),
    AUTHENTICATION.record(
        "boolean", "auth.mfa_role_criteria", "multi_factor_criteria/d427668b73003300fdbd04fbc4f6a7b6",
        "Multi-factor sign-in follows roles", True, "medium 5.7", 1, fallback=False
    ),
    AUTHENTICATION.integer(
        "auth.mfa_setup_bypass", "glide.authenticate.multifactor.setup.bypass.count",
        "Setup of the second factor cannot be postponed", 0, "low 3.9", 6, comparator="eq", shipped_default=0,
        fallback=0, side_effects="Users without a registered device cannot sign in; keep a recovery procedure"
    ),
    AUTHENTICATION.boolean(
        "auth.mfa_email_otp", "glide.authenticate.multifactor.email.otp.enabled", "Mail is not used as a second factor", False,
        "low 3.1", 1, shipped_default=True, side_effects="Users who get their codes by mail"
    ),
    AUTHENTICATION.integer(
        "auth.mfa_code_validity", "glide.multifactor.onetime.code.validity", "Codes expire after minutes", 10,
        "low 3.9", 1, shipped_default=10, left="baseline 7.0"
    ),
    AUTHENTICATION.integer(
        "auth.mfa_self_enrol", "glide.authenticate.multifactor.self_enrolment_period",
        "Enrolment can be postponed for a limited number of days", 90, "unrated", "yokohama",
        left="was never part of it", note="Shipped as 30 days; the platform accepts at most 90"
    ),
    AUTHENTICATION.boolean(
        "auth.no_blank_password", "glide.login.no_blank_password", "Empty passwords are rejected", True, "high", 1,
        gone_from="australia", left="baseline 7.0", control="loginNoBlankPassword",
        note="Without function from Australia on"
    ),
    AUTHENTICATION.boolean(
        "auth.password_policy", "glide.enable.password_policy", "New passwords follow the policy", True, "high 7.4",
        1, fallback=False, irreversible=True, control="enablePasswordPolicy"
    ),
    AUTHENTICATION.boolean(
        "auth.password_policy_login", "glide.apply.password_policy.on_login",
        "Passwords that do not follow the policy have to be changed at sign-in", True, "medium 4.4", 6,
        shipped_default=False, fallback=False, side_effects="Service accounts with old passwords",
        note="Until baseline 5.0 the advice was the opposite"
    ),
    AUTHENTICATION.boolean(
        "auth.password_denylist", "glide.enable.blacklist_password", "Known weak passwords are rejected", True,
        "medium 5.9", 1, fallback=True
    ),
    AUTHENTICATION.record(
        "integer", "auth.password_denylist_rows", "blacklisted_password",
        "The list of rejected passwords is long enough to be effective", 5000, "medium 5.9", 1, comparator="min_records"
    ),
    AUTHENTICATION.record(
        "integer", "auth.password_min_length", "password_policy.min_length",
        "Every password policy requires long passwords", 15, "medium 5.9", 6, comparator="ge", fallback=8,
        note="The column is not confirmed; the shipped policy requires 8 characters"
    ),
    AUTHENTICATION.record(
        "integer", "auth.password_max_length", "password_policy.max_length",
        "Every password policy allows passphrases", 64, "medium 5.9", 6, comparator="ge", fallback=100,
        note="The column is not confirmed"
    ),
    AUTHENTICATION.record(
        "boolean", "auth.password_store_policy", "pwd_cred_store.enable_password_policy",
        "Every credential store enforces a policy", True, "medium 5.9", 6, note="The column is not confirmed"
    ),
    AUTHENTICATION.record(
        "boolean", "auth.lockout_action", "sysevent_script_action/5e44f9bf0a0a0a0a019a6440b2137767",
        "Repeated wrong passwords lock the account (SNC User Lockout Check)", True, "high 7.3", 1,
        comparator="any_of_active", control="sncUserLockoutCheck",
        side_effects="Wrong passwords can be used to lock any account, including those of integrations",
        note="The sibling with automatic unlock is sufficient as well"
    ),
    AUTHENTICATION.record(
        "boolean", "auth.lockout_action_unlock", "sysevent_script_action/d92636b2975301008e00958e3b297567",
        "Repeated wrong passwords lock the account for a while (SNC User Lockout Check with Auto Unlock)", True,
        "high 7.3", 1, comparator="any_of_active", control="sncUserLockoutCheck",
        side_effects="Wrong passwords can be used to lock any account temporarily, including those of integrations"
    ),
    AUTHENTICATION.integer(
        "auth.lockout_attempts", "glide.user.max_unlock_attempts", "Accounts are locked after few wrong passwords", 5,
        "high 7.3", 1, fallback=5
    ),
    AUTHENTICATION.integer(
        "auth.lockout_minutes", "glide.user.unlock_timeout_in_mins", "Minutes until a locked account is unlocked", 15,
        "medium 6.8", 1, comparator="eq"
    ),
    AUTHENTICATION.boolean(
        "auth.sso_recovery", "glide.sso.acr.enabled", "Account recovery is available when single sign-on fails", True,
        "medium 6.5", 1, fallback=False
    ),
    AUTHENTICATION.boolean(
        "auth.saml_relay_state", "glide.authenticate.sso.saml2.enable_relay_state_with_id",
        "A SAML response is bound to one request", True, "low 3.8", 6, shipped_default=True, fallback=False
    ),
    AUTHENTICATION.integer(
        "auth.saml_clockskew", "glide.authenticate.sso.saml2.clockskew", "SAML allows little clock skew",
        60, "high 7.5", 1, comparator="lt", shipped_default=180, fallback=180, left="baseline 6.0"
    ),
    AUTHENTICATION.record(
        "string", "auth.local_login_sso_users", "sys_user (SSO users)",
        "Users of single sign-on have no local password", "", "medium 4.2", 6, comparator="review",
        side_effects="All users are locked out when the identity provider is down and no emergency account exists"
    ),
    AUTHENTICATION.boolean(
        "auth.ldap_ssl", "glide.ldap.use.ssl", "Directories are bound over TLS", True, "high 8.1", 1,
        shipped_default=True, left="baseline 6.0"
    ),
    AUTHENTICATION.boolean(
        "auth.email_create_user", "glide.pop3readerjob.create_caller", "Mail creates no accounts", False,
        "medium 5.4", 1, fallback=False, note="If enabled, glide.user.trusted_domain limits it to domains"
    ),
    AUTHENTICATION.boolean(
        "auth.pwd_reset_captcha", "password_reset.captcha.ignore", "Password reset requires a CAPTCHA", False,
        "medium 5.6", 1, fallback=False
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_expiry", "password_reset.request.expiry", "A reset request ends after minutes", 10,
        "medium 4.2", 1, fallback=100
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_attempts", "password_reset.request.max_attempt", "Few failed resets block", 3, "high 7.5", 1,
        fallback=3
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_attempt_window", "password_reset.request.max_attempt_window", "Minutes to wait once blocked",
        1440, "unrated", 1, comparator="ge", fallback=1440
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_retry_window", "password_reset.request.retry_window",
        "Minutes until failed resets are no longer counted", 1440, "high 7.5", 1, comparator="ge", fallback=1440
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_success_window", "password_reset.request.success_window",
        "Minutes between two successful resets", 1440, "unrated", 1, fallback=1440
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_unlock_window", "password_reset.request.unlock_window",
        "Minutes between two requests to unlock", 1440, "medium 5.9", 1, comparator="ge", fallback=1440
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_sms_complexity", "password_reset.sms.default_complexity",
        "Codes by text message are long enough", 6, "unrated", 1, comparator="ge", fallback=4
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_sms_expiry", "password_reset.sms.expiry", "Codes by text message end after minutes", 5,
        "medium 5.6", 1, fallback=5
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_sms_per_day", "password_reset.sms.max_per_day", "A user gets few text messages a day", 10,
        "medium 5.9", 1, fallback=5
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_sms_pause", "password_reset.sms.pause_window", "Minutes between two text messages", 2,
        "medium 4.8", 1, comparator="ge", shipped_default=2
    ),
    AUTHENTICATION.boolean(
        "auth.pwd_reset_sms_notify", "password_reset.sms.use_notify", "Text messages go out through Notify", True,
        "low 3.7", 1, fallback=True
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_delay", "password_reset.verification.delay", "Milliseconds between two requests", 1000,
        "medium 5.9", 1, comparator="ge", fallback=1000
    ),
    AUTHENTICATION.integer(
        "auth.pwd_reset_link_hours", "glide.pwd_reset.onetime.token.validity", "A mailed link ends within the hour",
        1, "medium 4.6", 1, shipped_default=1, fallback=1, note="In hours"
    ),
    AUTHENTICATION.record(
        "boolean", "auth.pwd_process_notify", "pwd_process.change / pwd_process.reset",
        "Users are notified of a changed password", True, "high 8.1", 1, shipped_default=True, left="baseline 4.0"
    ),
    AUTHENTICATION.boolean(
        "auth.ext_reg_captcha", "sn_ext_usr_reg.captchaEnabled", "External registration requires a CAPTCHA", True,
        "low 3.7", 1, fallback=True, group="app:external_registration"
    ),
    AUTHENTICATION.integer(
        "auth.ext_reg_link_days", "sn_ext_usr_reg.Reg_link_expiration_days", "A registration link ends after days", 3,
        "medium 6.6", 1, fallback=3, group="app:external_registration"
    ),
    AUTHENTICATION.boolean(
        "oauth.ropc_disabled", "glide.oauth.inbound.ropc.grant_type.disabled", "No tokens are issued for the password grant",
        True, "low 3.3", 7, shipped_default=False, fallback=False,
        side_effects="Clients that sign in with the password grant, including the connectors of Microsoft Defender"
    ),
    AUTHENTICATION.record(
        "string", "instance.welcome_page", "(welcome page text)", "The sign-in page shows no demo credentials", "",
        "unrated", 1, comparator="review", left="baseline 6.0"
    ),
    AUTHENTICATION.boolean(
        "mobile.blur_classic", "glide.ui.m.blur_ui_when_backgrounded",
        "The classic app hides its screen in the background", True, "medium 2.4", 1, left="baseline 6.0",
        group="mobile"
    ),
    AUTHENTICATION.boolean(
        "mobile.device_encryption", "glide.sg.device_encryption_enabled",
        "Devices are encrypted and have a pass code", True, "medium 4.2", 2, shipped_default=False, group="mobile"
    ),
    AUTHENTICATION.boolean(
        "ai.voice_kba", "glide.voice.authenticate.allow_kba_as_only_factor",
        "Security questions alone do not let a caller in", False, "low 3.3", 8, shipped_default=False, fallback=False,
        group="app:generative_ai"
    ),
    AUTHENTICATION.boolean(
        "app.csm_captcha", "sn_customerservice.captchaEnabled", "Customers register with a CAPTCHA", True, "low 3.7",
        "yokohama", shipped_default=True, fallback=True, group="app:customer_service"
    ),
    AUTHENTICATION.boolean(
        "app.walkup_captcha", "sn_guest_walkup_cs.captcha.enabled", "Guests book a walk-up with a CAPTCHA", True,
        "low 3.7", 2, fallback=True, group="app:customer_service"
    ),
)  # fmt: skip
