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
    FILES.switch(
        "files.mime_validation_email", "glide.security.file.mime_type.validation.inbound_email",
        "A mail's attachment is what its name says", True, "low 3.7", 8, shipped_default=False, fallback=False
    ),
    FILES.switch(
        "files.mime_validation_creator", "glide.attachment.enforce_security_validation",
        "SOAP attachments are checked like uploads", True, "medium 6.7", 2, shipped_default=True
    ),
    FILES.number(
        "files.max_size_mb", "com.glide.attachment.max_size", "Attachments have a size limit", 1024, "medium 6.5", 1,
        fallback=1024
    ),
    FILES.number(
        "files.email_attach_max", "glide.email.inbound.max_attachment_count", "Mail has a limit of attachments", 30,
        "medium 5.3", 1, shipped_default=30, fallback=50
    ),
    FILES.switch(
        "files.antivirus", "com.glide.snap.enable_scan", "Attachments are scanned for viruses", True, "high 7.7", 1,
        shipped_default=True, fallback=True, irreversible=True
    ),
    FILES.switch(
        "files.infected_download", "com.glide.snap.infected_download_allowed",
        "What could not be scanned cannot be downloaded", False, "medium 6.7", 1, shipped_default=False, fallback=True
    ),
    FILES.switch(
        "files.static_content", "glide.ui.strict_customer_uploaded_static_content",
        "Static content is limited to safe types", True, "low 3.1", 1, shipped_default=True, locked=True,
        left="baseline 6.0"
    ),
    FILES.switch(
        "files.http_body_limit", "glide.http.response.get_body.limit.enabled",
        "Bodies of outbound answers have a size limit", True, "low 3.1", 1, shipped_default=True
    ),
    FILES.switch(
        "mobile.blur", "glide.sg.blur_ui_when_backgrounded", "The app hides its screen in the background", True,
        "low 2.4", 1, shipped_default=False, group="mobile"
    ),
    COMMUNICATIONS.text(
        "auth.saml_demo_keystore", "glide.authenticate.sso.saml2.keystore", "The demo certificate signs nothing",
        "c60ad24b732220103a5b0dd43cf6a7db", "low 3.9", 1, comparator="not_contains"
    ),
    COMMUNICATIONS.switch(
        "tls.hostname", "com.glide.communications.httpclient.verify_hostname",
        "Outbound calls check whom a certificate is for and who vouches for it", True, "high 7.4", 1, fallback=False,
        elevated=True, breaks="Calls to hosts whose certificate is wrong"
    ),
    COMMUNICATIONS.switch(
        "tls.revocation", "com.glide.communications.httpclient.verify_revoked_certificate",
        "Outbound TLS asks whether a certificate was revoked", True, "medium 6.5", 2, shipped_default=True
    ),
    COMMUNICATIONS.switch(
        "tls.ocsp_network_error", "com.glide.communications.httpclient.ocsp_allow_network_error",
        "No answer about revocation, no call", False, "medium 5.9", 2, fallback=True,
        breaks="Outbound calls while the revocation service is out of reach"
    ),
    COMMUNICATIONS.switch(
        "tls.trust_all", "com.glide.communications.trustmanager_trust_all", "Certificates have to be trusted", False,
        "medium 5.7", 7, irreversible=True, breaks="Calls to hosts with certificates of their own making"
    ),
    COMMUNICATIONS.switch(
        "tls.deprecated", "com.glide.communications.disable.deprecated.tls", "Outbound calls use no old TLS", True,
        "medium 4.4", 6, shipped_default=True, fallback=True
    ),
    COMMUNICATIONS.switch(
        "tls.sslv3_mid", "glide.outbound.sslv3.disabled", "Outbound calls and MID Servers use no SSLv3", True,
        "medium 6.5", 1, fallback=False
    ),
    COMMUNICATIONS.number(
        "tls.key_size", "sn_disco_certmgmt.private_key_size", "Keys for new certificates are long enough", 2048,
        "low 3.1", "yokohama", comparator="ge", shipped_default=2048, fallback=2048,
        group="app:certificate_management"
    ),
    LOGIC.number(
        "session.guest_idle", "glide.guest.session_timeout", "Idle guest sessions end", 30, "medium 4.3", "zurich",
        comparator="eq", shipped_default=30, fallback=0
    ),
    LOGIC.switch(
        "input.remote_host", "glide.update_set.remote.check_host", "Hosts of remote update sets are checked", True,
        "medium 6.3", 1, fallback=True, irreversible=True
    ),
    LOGIC.number(
        "instance.smtp_recipients", "glide.email.smtp.max_recipients", "A mail has a limit of recipients", 100,
        "medium 4.9", 1, fallback=100
    ),
    LOGIC.number(
        "app.kb_comments", "sn_kb_social_qa.max_comments_per_user_daily",
        "A user writes a limited number of comments a day", 500, "low 3.7", 1, fallback=500, group="app:social_qa"
    ),
    LOGIC.number(
        "app.kb_subscriptions", "sn_kb_social_qa.max_subscriptions_per_user_daily",
        "A user subscribes to a limited number a day", 500, "low 3.7", 1, fallback=500, group="app:social_qa"
    ),
    PROTECTION.switch(
        "oauth.post_body_only", "glide.oauth.allow.parameters.in.post.body.only",
        "Tokens are asked for in the body only, never in the address", True, "medium 4.2", 2, shipped_default=True,
        breaks="Clients that send secrets in the address"
    ),
    PROTECTION.switch(
        "session.remember_me_hidden", "glide.ui.forgetme", "Remember me is not offered", True, "low 3.5", 1,
        fallback=True, elevated=True
    ),
    PROTECTION.switch(
        "mobile.pasteboard", "glide.sg.clear_pasteboard_when_backgrounded", "The app leaves nothing in the clipboard",
        True, "low 3.5", 2, fallback=True, group="mobile"
    ),
    PROTECTION.switch(
        "app.hr_guest_mail", "sn_hr_core.restrict_guest_email", "Private mail does not update HR cases", True,
        "low 3.5", 2, fallback=True, group="app:sn_hr_core"
    ),
    CRYPTOGRAPHY.switch(
        "crypto.3des", "glide.security.3des.encryption.allow", "Nothing is encrypted with 3DES", False, "medium 3.0",
        6, shipped_default=False, fallback=False
    ),
    CRYPTOGRAPHY.switch(
        "crypto.3des_static", "glide.security.3des.static_keys_usable", "Static 3DES keys open nothing", False,
        "medium 5.0", 7, shipped_default=True, fallback=True, breaks="Secrets that are still stored under such a key"
    ),
    CRYPTOGRAPHY.switch(
        "crypto.kmf_encrypter", "glide.kmf.encrypter.enabled", "Two-way passwords use the key management framework",
        True, "medium 4.9", 1, shipped_default=False, left="baseline 2.0"
    ),
    MALICE.switch(
        "crypto.code_signing", "com.snc.kmf.signature.validation.flag", "Signatures of configuration are checked",
        True, "medium 6.0", 1, shipped_default=False, irreversible=True, left="baseline 2.0"
    ),
    MALICE.switch(
        "mobile.jailbreak", "glide.sg.allow_rooted_jailbroken_device", "Rooted devices are refused", False,
        "medium 4.5", 1, fallback=False, group="mobile"
    ),
)  # fmt: skip
