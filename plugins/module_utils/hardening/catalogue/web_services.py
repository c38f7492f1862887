# SPDX-License-Identifier: GPL-3.0-or-later
"""API and web service: which interfaces require authentication."""

from __future__ import annotations

from .setting import Category

WEB_SERVICES = Category("API and web service")

SETTINGS = (
    WEB_SERVICES.boolean(
        "request_auth.api", "glide.basicauth.required.api", "REST requests require authentication", True, "high 8.6", 1,
        fallback=False, irreversible=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.csv", "glide.basicauth.required.csv", "CSV exports require authentication", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.excel", "glide.basicauth.required.excel", "Excel exports require authentication", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.pdf", "glide.basicauth.required.pdf", "PDF exports require authentication", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.rss", "glide.basicauth.required.rss", "RSS requests require authentication", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.xml", "glide.basicauth.required.xml", "XML exports require authentication", True, "high 7.5", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.xml_output", "glide.basicauth.required.xmloutputprocessor",
        "The XML output processor requires authentication", True, "high 7.5", 1, fallback=False, irreversible=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.xsd", "glide.basicauth.required.xsd", "XSD downloads require authentication", True, "medium 5.3", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.wsdl", "glide.basicauth.required.wsdl", "WSDL downloads require authentication", True, "medium 5.3", 1,
        fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.schema", "glide.basicauth.required.schema", "Table schemas require authentication",
        True, "medium 5.3", 1, fallback=False, irreversible=True, elevated=True
    ),
    WEB_SERVICES.boolean(
        "request_auth.import", "glide.basicauth.required.importprocessor", "The import processor requires authentication",
        True, "medium 5.3", 1, fallback=False, irreversible=True, elevated=True,
        side_effects="Feeds that upload without authentication stop working"
    ),
    WEB_SERVICES.boolean(
        "request_auth.jsonv2", "glide.basicauth.required.jsonv2", "JSONv2 requests require authentication", True, "high 7.5", 1,
        fallback=False, irreversible=True, control="authRequiredJson2"
    ),
    WEB_SERVICES.boolean(
        "request_auth.soap", "glide.basicauth.required.soap", "SOAP requests require authentication", True, "high 8.1", 1,
        shipped_default=False, irreversible=True, elevated=True, control="authRequiredSOAP",
        side_effects="SOAP clients without authentication stop working"
    ),
    WEB_SERVICES.boolean(
        "request_auth.soap_ws_security", "glide.soap.require_ws_security",
        "SOAP messages must be signed (WS-Security)", True, "high 8.1", 1, shipped_default=False,
        irreversible=True,
        side_effects="SOAP clients that do not sign their messages stop working, including those with Basic authentication"
    ),
    WEB_SERVICES.boolean(
        "request_auth.unload", "glide.basicauth.required.unl", "Unload exports require authentication", True, "high 7.5", 1,
        fallback=False, elevated=True, control="authRequiredUnl"
    ),
    WEB_SERVICES.boolean(
        "request_auth.scripted_processor", "glide.basicauth.required.scriptedprocessor",
        "Scripted processors require authentication", True, "high 7.2", 1, fallback=False, irreversible=True,
        elevated=True, control="cauthRequiredScriptedProcessor",
        side_effects="Custom processors that are meant to be public stop working"
    ),
    WEB_SERVICES.boolean(
        "request_auth.event_http_processor", "glide.basicauth.required.evtmgmthttpprocessor",
        "Inbound events by HTTP require authentication", True, "high 7.0", 2, shipped_default=True, left="baseline 5.0"
    ),
    WEB_SERVICES.boolean(
        "soap.content_type", "glide.soap.require_content_type_xml", "SOAP requests require an XML content type", True,
        "high 8.8", 1, fallback=False, irreversible=True, control="soapRequireContentTypeXml",
        side_effects="SOAP clients that send another content type are rejected"
    ),
    WEB_SERVICES.value_list(
        "oauth.implicit_clients", "glide.oauth.clients.allowed.for.implicit.grant",
        "No client uses the implicit grant", "", "low 3.9", 8, comparator="empty", shipped_default="", fallback=""
    ),
)  # fmt: skip
