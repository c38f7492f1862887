# SPDX-License-Identifier: GPL-3.0-or-later
"""API and web service: what has to sign in."""

from __future__ import annotations

from .setting import Category

WEB_SERVICES = Category("API and web service")

SETTINGS = (
    WEB_SERVICES.switch(
        "request_auth.api", "glide.basicauth.required.api", "REST calls have to sign in", True, "high 8.6", 1,
        fallback=False, irreversible=True
    ),
    WEB_SERVICES.switch(
        "request_auth.csv", "glide.basicauth.required.csv", "CSV exports have to sign in", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.excel", "glide.basicauth.required.excel", "Excel exports have to sign in", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.pdf", "glide.basicauth.required.pdf", "PDF exports have to sign in", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.rss", "glide.basicauth.required.rss", "RSS readers have to sign in", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.xml", "glide.basicauth.required.xml", "XML exports have to sign in", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.xml_output", "glide.basicauth.required.xmloutputprocessor",
        "The XML output processor asks for a sign-in", True, "high 7.5", 1, fallback=False, irreversible=True
    ),
    WEB_SERVICES.switch(
        "request_auth.xsd", "glide.basicauth.required.xsd", "XSD downloads have to sign in", True, "medium 5.3", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.wsdl", "glide.basicauth.required.wsdl", "WSDL downloads have to sign in", True, "medium 5.3", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.schema", "glide.basicauth.required.schema", "Table schemas are handed out after sign-in only",
        True, "medium 5.3", 1, fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.switch(
        "request_auth.import", "glide.basicauth.required.importprocessor", "The import processor asks for a sign-in",
        True, "medium 5.3", 1, fallback=False, irreversible=True, elevated=True,
        breaks="Feeds that upload without signing in end"
    ),
    WEB_SERVICES.switch(
        "request_auth.jsonv2", "glide.basicauth.required.jsonv2", "JSONv2 calls have to sign in", True, "high 7.5", 1,
        fallback=False, irreversible=True, control="authRequiredJson2"
    ),
    WEB_SERVICES.switch(
        "request_auth.soap", "glide.basicauth.required.soap", "SOAP calls have to sign in", True, "high 8.1", 1,
        shipped_default=False, irreversible=True, elevated=True, control="authRequiredSOAP",
        breaks="SOAP clients that do not sign in end"
    ),
    WEB_SERVICES.switch(
        "request_auth.soap_ws_security", "glide.soap.require_ws_security",
        "SOAP messages have to be signed (WS-Security)", True, "high 8.1", 1, shipped_default=False,
        irreversible=True,
        breaks="Every SOAP client that does not sign its messages ends, also those that sign in by Basic authentication"
    ),
    WEB_SERVICES.switch(
        "request_auth.unload", "glide.basicauth.required.unl", "Unload exports have to sign in", True, "high 7.5", 1,
        fallback=False, elevated=True, control="authRequiredUnl"
    ),
    WEB_SERVICES.switch(
        "request_auth.scripted_processor", "glide.basicauth.required.scriptedprocessor",
        "Scripted processors ask for a sign-in", True, "high 7.2", 1, fallback=False, irreversible=True,
        elevated=True, control="cauthRequiredScriptedProcessor",
        breaks="Own processors that are meant to be public end"
    ),
    WEB_SERVICES.switch(
        "request_auth.event_http_processor", "glide.basicauth.required.evtmgmthttpprocessor",
        "Events that come in by HTTP have to sign in", True, "high 7.0", 2, shipped_default=True, left="baseline 5.0"
    ),
    WEB_SERVICES.switch(
        "soap.content_type", "glide.soap.require_content_type_xml", "SOAP posts have to be declared as XML", True,
        "high 8.8", 1, fallback=False, irreversible=True, control="soapRequireContentTypeXml",
        breaks="SOAP clients that send another content type are refused"
    ),
    WEB_SERVICES.words(
        "oauth.implicit_clients", "glide.oauth.clients.allowed.for.implicit.grant",
        "No client uses the implicit grant", "", "low 3.9", 8, comparator="empty", shipped_default="", fallback=""
    ),
)  # fmt: skip
