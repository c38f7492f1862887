# SPDX-License-Identifier: GPL-3.0-or-later
"""IP address access rules in front of all routes of an instance (they need plugin com.snc.ipauthenticator).

An allow rule outranks a deny rule, and a caller without a matching rule is admitted unless
`glide.ip.authenticate.strict` is on. The caller's address is the first of `X-Forwarded-For`, else that of this machine.

See docs/facts/servicenow_hardening.md#connection-impact.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from ..web import Call, Reply, html_reply
from .instance import Instance
from .store import Row

PLUGIN = "com.snc.ipauthenticator"
_OWN = "127.0.0.1"
_PAGE = "<html><head><title>Access restricted</title></head><body><h1>Access restricted</h1></body></html>"
Address = IPv4Address | IPv6Address


def refusal(instance: Instance, call: Call) -> Reply | None:
    """The response to a caller whose address is denied; None if it is admitted. Its wording is not published."""
    if not instance.plugin_is_active(PLUGIN):
        return None
    rules = [row for row in instance.database.scan("ip_access") if row.get("active") == "true"]
    strict = instance.is_on("glide.ip.authenticate.strict")
    address = _address(call.headers.get("X-Forwarded-For", "").partition(",")[0]) or ip_address(_OWN)
    covering = {row.get("type", "deny") for row in rules if _covers(row, address)}
    if "allow" in covering or not (strict or covering):
        return None
    return html_reply(403, _PAGE)


def _covers(rule: Row, address: Address) -> bool:
    first, last = _address(rule.get("range_start", "")), _address(rule.get("range_end") or rule.get("range_start", ""))
    if first is None or last is None or first.version != address.version or last.version != address.version:
        return False
    return int(first) <= int(address) <= int(last)


def _address(text: str) -> Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None
