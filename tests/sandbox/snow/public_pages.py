# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages outside the APIs.

See docs/facts/servicenow_platform.md#pages-instead-of-json, docs/facts/servicenow_platform.md#reading-the-release.
"""

from __future__ import annotations

from .. import html_pages
from ..web import Call, Reply, html_reply
from .instance import Instance


def _values(instance: Instance) -> dict[str, str]:
    release = instance.database.schema.release
    shown = {"build_name": release.label, "build_date": release.build_date, "build_tag": release.build_tag}
    return {**shown, "instance": instance.name}


def stats(instance: Instance, call: Call) -> Reply:
    """Answer `/stats.do`: the build; hardened instances hide it."""
    if instance.knobs.hide_build:
        return login(instance, call)
    return html_reply(200, html_pages.STATS.format(**_values(instance)))


def xml_stats(instance: Instance, call: Call) -> Reply:
    """Answer `/xmlstats.do`: the build as XML."""
    if instance.knobs.hide_build:
        return login(instance, call)
    values = _values(instance)
    content = "".join(f"<glide.{name}>{value}</glide.{name}>" for name, value in values.items())
    reply = Reply(200, f"<xmlstats>{content}</xmlstats>".encode())
    reply.headers["Content-Type"] = "text/xml;charset=UTF-8"
    return reply


def login(_instance: Instance, _call: Call) -> Reply:
    """Show the login page."""
    return html_reply(200, html_pages.LOGIN)


def other_page(_instance: Instance, call: Call) -> Reply:
    """Answer any other page like an instance without a session: redirect to the login page."""
    return html_reply(302, "", {"Location": f"{call.base}/login.do"})
