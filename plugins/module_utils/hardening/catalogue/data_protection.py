# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, communications, business logic, data protection, cryptography and malicious code."""

from __future__ import annotations

from .setting import Category

FILES = Category("File and resources")
COMMUNICATIONS = Category("Communications")
LOGIC = Category("Business Logic")
PROTECTION = Category("Data protection")
CRYPTOGRAPHY = Category("Stored cryptography")
MALICE = Category("Malicious code")

SETTINGS = (
    FILES.plugin(
        "plugin.email_filter", "com.glide.email_filter", "Inbound mail can be filtered by its spam and virus headers",
        "high 8.1", 1, note="Works only while glide.email.read.active is true"
    ),
    FILES.boolean(
        "files.mime_validation_email", "glide.security.file.mime_type.validation.inbound_email",
        "The content of mail attachments matches the file extension", True, "low 3.7", 8, shipped_default=False, fallback=False
    ),
    FILES.boolean(
        "files.mime_validation_creator", "glide.attachment.enforce_security_validation",
        "SOAP attachments are checked like uploads", True, "medium 6.7", 2, shipped_default=True
    ),
    FILES.integer(
        "files.max_size_mb", "com.glide.attachment.max_size", "Attachments have a size limit", 1024, "medium 6.5", 1,
        fallback=1024
    ),
    FILES.integer(
        "files.email_attach_max", "glide.email.inbound.max_attachment_count", "Mail has a limit of attachments", 30,
        "medium 5.3", 1, shipped_default=30, fallback=50
    ),
    FILES.boolean(
        "files.antivirus", "com.glide.snap.enable_scan", "Attachments are scanned for viruses", True, "high 7.7", 1,
        shipped_default=True, fallback=True, irreversible=True
    ),
    FILES.boolean(
        "files.infected_download", "com.glide.snap.infected_download_allowed",
        "Attachments that could not be scanned cannot be downloaded", False, "medium 6.7", 1, shipped_default=False, fallback=True
    ),
    FILES.boolean(
        "files.static_content", "glide.ui.strict_customer_uploaded_static_content",
        "Static content is limited to safe types", True, "low 3.1", 1, shipped_default=True, locked=True,
        left="baseline 6.0"
    ),
    FILES.boolean(
        "files.http_body_limit", "glide.http.response.get_body.limit.enabled",
        "Bodies of outbound HTTP responses have a size limit", True, "low 3.1", 1, shipped_default=True
    ),
    FILES.boolean(
        "mobile.blur", "glide.sg.blur_ui_when_backgrounded", "The app hides its screen in the background", True,
        "low 2.4", 1, shipped_default=False, group="mobile"
    ),
    COMMUNICATIONS.text(
        "auth.saml_demo_keystore", "glide.authenticate.sso.saml2.keystore", "The demo certificate is not used for signing",
        "c60ad24b732220103a5b0dd43cf6a7db", "low 3.9", 1, comparator="not_contains"
    ),
    COMMUNICATIONS.boolean(
        "tls.hostname", "com.glide.communications.httpclient.verify_hostname",
        "Outbound calls verify host name and issuer of certificates", True, "high 7.4", 1, fallback=False,
        elevated=True, side_effects="Calls to hosts with an invalid certificate"
    ),
    COMMUNICATIONS.boolean(
        "tls.revocation", "com.glide.communications.httpclient.verify_revoked_certificate",
        "Outbound TLS checks certificate revocation", True, "medium 6.5", 2, shipped_default=True
    ),
    COMMUNICATIONS.boolean(
        "tls.ocsp_network_error", "com.glide.communications.httpclient.ocsp_allow_network_error",
        "Outbound calls fail if revocation cannot be checked", False, "medium 5.9", 2, fallback=True,
        side_effects="Outbound calls fail while the revocation service is unreachable"
    ),
    COMMUNICATIONS.boolean(
        "tls.trust_all", "com.glide.communications.trustmanager_trust_all", "Untrusted certificates are rejected", False,
        "medium 5.7", 7, irreversible=True, side_effects="Calls to hosts with self-signed certificates"
    ),
    COMMUNICATIONS.boolean(
        "tls.deprecated", "com.glide.communications.disable.deprecated.tls", "Outbound calls use no old TLS", True,
        "medium 4.4", 6, shipped_default=True, fallback=True
    ),
    COMMUNICATIONS.boolean(
        "tls.sslv3_mid", "glide.outbound.sslv3.disabled", "Outbound calls and MID Servers use no SSLv3", True,
        "medium 6.5", 1, fallback=False
    ),
    COMMUNICATIONS.integer(
        "tls.key_size", "sn_disco_certmgmt.private_key_size", "Keys for new certificates are long enough", 2048,
        "low 3.1", "yokohama", comparator="ge", shipped_default=2048, fallback=2048,
        group="app:certificate_management"
    ),
    LOGIC.integer(
        "session.guest_idle", "glide.guest.session_timeout", "Idle guest sessions end", 30, "medium 4.3", "zurich",
        comparator="eq", shipped_default=30, fallback=0
    ),
    LOGIC.boolean(
        "input.remote_host", "glide.update_set.remote.check_host", "Hosts of remote update sets are checked", True,
        "medium 6.3", 1, fallback=True, irreversible=True
    ),
    LOGIC.integer(
        "instance.smtp_recipients", "glide.email.smtp.max_recipients", "A mail has a limit of recipients", 100,
        "medium 4.9", 1, fallback=100
    ),
    LOGIC.integer(
        "app.kb_comments", "sn_kb_social_qa.max_comments_per_user_daily",
        "A user writes a limited number of comments a day", 500, "low 3.7", 1, fallback=500, group="app:social_qa"
    ),
    LOGIC.integer(
        "app.kb_subscriptions", "sn_kb_social_qa.max_subscriptions_per_user_daily",
        "A user subscribes to a limited number a day", 500, "low 3.7", 1, fallback=500, group="app:social_qa"
    ),
    PROTECTION.boolean(
        "oauth.post_body_only", "glide.oauth.allow.parameters.in.post.body.only",
        "Tokens are requested in the body only, never in the URL", True, "medium 4.2", 2, shipped_default=True,
        side_effects="Token requests with credentials in the URL fail"
    ),
    PROTECTION.boolean(
        "session.remember_me_hidden", "glide.ui.forgetme", "Remember me is not offered", True, "low 3.5", 1,
        fallback=True, elevated=True
    ),
    PROTECTION.boolean(
        "mobile.pasteboard", "glide.sg.clear_pasteboard_when_backgrounded", "The app clears the clipboard in the background",
        True, "low 3.5", 2, fallback=True, group="mobile"
    ),
    PROTECTION.boolean(
        "app.hr_guest_mail", "sn_hr_core.restrict_guest_email", "Mail from private addresses does not update HR cases", True,
        "low 3.5", 2, fallback=True, group="app:sn_hr_core"
    ),
    CRYPTOGRAPHY.boolean(
        "crypto.3des", "glide.security.3des.encryption.allow", "3DES encryption is disabled", False, "medium 3.0",
        6, shipped_default=False, fallback=False
    ),
    CRYPTOGRAPHY.boolean(
        "crypto.3des_static", "glide.security.3des.static_keys_usable", "Static 3DES keys cannot be used", False,
        "medium 5.0", 7, shipped_default=True, fallback=True, side_effects="Secrets that are still encrypted with such a key"
    ),
    CRYPTOGRAPHY.boolean(
        "crypto.kmf_encrypter", "glide.kmf.encrypter.enabled", "Two-way passwords use the key management framework",
        True, "medium 4.9", 1, shipped_default=False, left="baseline 2.0"
    ),
    MALICE.boolean(
        "crypto.code_signing", "com.snc.kmf.signature.validation.flag", "Signatures of configuration are checked",
        True, "medium 6.0", 1, shipped_default=False, irreversible=True, left="baseline 2.0"
    ),
    MALICE.boolean(
        "mobile.jailbreak", "glide.sg.allow_rooted_jailbroken_device", "Rooted devices are refused", False,
        "medium 4.5", 1, fallback=False, group="mobile"
    ),
)  # fmt: skip
