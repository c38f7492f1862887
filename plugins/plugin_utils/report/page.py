# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one self-contained HTML page: no network, readable without JavaScript, light and dark, of limited size."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...module_utils.token_end import in_words
from . import groups, posture
from .changes import changes, rows_of_trend
from .collect import MASK
from .document import IN_SYNC, STATUSES, counted
from .groups import Hosts
from .instances import Parts, instance
from .manual_steps import lines
from .objects import DRIFT, FAILED
from .tables import Listing, content_of, sections, sheet, tables
from .values import Json, encode, text

TEMPLATES = Path(__file__).parent / "templates"
# In this order: each uses what those before it return.
SCRIPTS = ("details.js", "lists.js", "report.js")

ABBREVIATIONS = {"acl": "ACL", "ip": "IP", "oauth": "OAuth"}
STATUS_LABELS = {
    "in_sync": "in sync", "drift": "drift", "unproven": "unproven", "failed": "failed", "unreachable": "unreachable",
}  # fmt: skip
# Ansible's replacement for the value of a secret option.
NO_LOG_MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

# A page of more bytes is made again with the next limits.
MAX_SIZE = 1_400_000
# The details are expanded if at most this number of instances has findings.
OPEN_DETAILS = 8
# With more hosts, the details of one are put together when it is opened.
MAX_EAGER = 100


@dataclass(frozen=True)
class Limits:
    """Limits of the page, not of the report, as drift.json holds everything: characters of a value, deviations of one host, and rows of a table."""

    value: int = 2_000
    deviations: int = 100
    rows: int = 400


LIMITS = (Limits(), Limits(500, 20, 200), Limits(200, 5, 100), Limits(100, 0, 50))


def to_html(document: Mapping[str, Any]) -> bytes:
    """Return the report as a page; every value is escaped, and its content policy allows its own script only.

    A page that is larger than `MAX_SIZE` bytes shows less of long lists, and says how much is left out.
    """
    hosts = document["hosts"]
    names = sorted(hosts, key=lambda name: (STATUSES.index(hosts[name]["status"]), name))
    instances, tenants = groups.by_tenant({name: hosts[name] for name in names})
    content = content_of({**tenants, **instances}, datetime.fromisoformat(document["generated_at"]))
    for limits in LIMITS:
        page = _render(document, instances, tenants, content, limits)
        if len(page) <= MAX_SIZE and page:
            break
    return page


def _render(document: Mapping[str, Any], instances: Hosts, tenants: Hosts, content: Json, limits: Limits) -> bytes:
    """Return the page; nothing if it would be too large with these limits, which are not the last ones."""
    ordered = {**tenants, **instances}
    listing = Listing(tuple(ordered), len(instances))
    todo, found = sheet(content, listing, limits.rows), tables(content, listing, limits.rows)
    parts = Parts()
    shown = _hosts(ordered, todo, parts, limits)
    if parts.size > MAX_SIZE and limits != LIMITS[-1]:
        return b""
    style, script = _asset("report.css"), "".join(map(_asset, SCRIPTS))
    since, trend = changes(document.get("since")), rows_of_trend(document)
    with_posture = document["totals"].get("posture") is not None
    template = _environment(limits.value).get_template("report.html.j2")
    page = template.render(
        document=document,
        play=document["play"],
        totals=document["totals"],
        fleet=document["totals"]["instances"],
        kinds=[_column(kind, instances.values()) for kind in _kinds(instances)],
        tenants=[each for each in shown if each["tenant"]],
        instances_shown=[each for each in shown if not each["tenant"]],
        parts=parts.parts,
        rows=parts.rows,
        lazy=len(ordered) > MAX_EAGER,
        with_tokens=any(host["tokens"] for host in instances.values()),
        with_posture=with_posture,
        bar=_bar(document["totals"]["instances"]),
        since=since,
        trend=trend,
        todo=todo,
        **found,
        sections=sections(
            todo,
            found,
            (len(instances), len(tenants)),
            since=bool(since or len(trend) > 1),
            posture=with_posture,
        ),
        style=style,
        script=script,
        policy=_policy(style, script),
    )
    return encode(page)


def _kinds(instances: Hosts) -> list[str]:
    return sorted({row["kind"] for host in instances.values() for row in host["objects"]})


def _hosts(ordered: Hosts, todo: Json, parts: Parts, limits: Limits) -> list[Json]:
    """Return what the page shows of each host, numbered from 1."""
    kinds = _kinds({name: host for name, host in ordered.items() if not host.get("tenant")})
    open_details = sum(host["status"] != IN_SYNC for host in ordered.values()) <= OPEN_DETAILS
    return [
        {
            **instance(name, host, kinds, todo["by_host"].get(name, []), parts, limits.deviations),
            "number": number,
            "open": open_details and host["status"] != IN_SYNC,
        }
        for number, (name, host) in enumerate(ordered.items(), 1)
    ]


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


@functools.cache
def _environment(max_value: int) -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["masks"] = (MASK, NO_LOG_MASK)
    environment.filters.update(
        shown=functools.partial(_shown, limit=max_value),
        token_words=lambda token: in_words(token.get("days_left"), token.get("ended_days_ago")),
        kind_label=_kind_label,
        counted=counted,
        lines=lines,
        status_label=STATUS_LABELS.__getitem__,
    )
    environment.filters.update(posture_label=posture.label, posture_rows=posture.rows)
    return environment


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _kind_label(kind: str) -> str:
    label = " ".join(ABBREVIATIONS.get(word, word) for word in kind.split("_"))
    return label[:1].upper() + label[1:]


def _shown(value: Any, limit: int) -> str:
    shown = text(value)
    return shown if len(shown) <= limit else f"{shown[:limit]}\u2026 (shortened)"


def _column(kind: str, hosts: Iterable[Mapping[str, Any]]) -> Json:
    deviating = sum(
        any(row["kind"] == kind and row["status"] in (DRIFT, FAILED) for row in host["objects"]) for host in hosts
    )
    return {"kind": kind, "deviating": deviating}


def _bar(totals: Mapping[str, int]) -> list[Json]:
    """Return the instances by status as parts of one bar, in per cent of its width."""
    parts, start = [], 0.0
    for status in STATUSES:
        width = 100 * totals[status] / totals["hosts"] if totals["hosts"] else 0
        if width:
            parts.append({"status": status, "x": round(start, 3), "width": round(width, 3)})
        start += width
    return parts
