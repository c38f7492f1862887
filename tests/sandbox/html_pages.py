# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML that arrives where JSON was expected (docs/facts/servicenow_platform.md#pages-instead-of-json)."""

from __future__ import annotations

HIBERNATING = """<!DOCTYPE html><html><head><title>Instance Hibernating page</title></head>
<body><h1>Your instance is hibernating</h1><p>To wake your instance, sign in to the developer site.</p></body></html>
"""
LOGIN = """<!DOCTYPE html><html><head><title>Log in | ServiceNow</title></head>
<body><form id="login" name="login" action="login.do" method="post"><input name="user_name"/><input name="user_password"
type="password"/><button name="sysverb_login" type="submit">Log in</button></form></body></html>
"""
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
UNAVAILABLE = """<html><head><title>Instance unavailable</title></head>
<body><h1>Service Unavailable</h1><p>The instance is offline or being upgraded.</p></body></html>
"""
STATS = """<html><head><title>System Statistics</title></head><body><h1>Servlet statistics</h1>
Build name: {build_name}<br/>Build date: {build_date}<br/>Build tag: {build_tag}<br/>Instance name: {instance}<br/>
</body></html>
"""
