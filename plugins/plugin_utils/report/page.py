# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one self-contained HTML page: no network, readable without JavaScript, light and dark."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import posture
from .collect import MASK
from .document import STATUSES, counted, open_deviations
from .objects import FAILED, OK
from .values import Json, encode, text

TEMPLATES = Path(__file__).parent / "templates"

ABBREVIATIONS = {"acl": "ACL", "ip": "IP", "oauth": "OAuth"}
STATUS_LABELS = {"clean": "in sync", "drift": "drift", "failed": "failed", "unreachable": "unreachable"}

# Limits of the page, not of the report: drift.json holds everything.
DEVIATIONS_ON_PAGE = 20_000
DEVIATIONS_PER_HOST = 20
NAMES_PER_KIND = 12
MAX_VALUE = 2_000
COMMON_DEVIATIONS = 10
# Ansible's replacement for the value of a secret option.
NO_LOG_MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# The details are expanded if at most this number of instances has findings.
OPEN_DETAILS = 8
SOON_DAYS, NEAR_DAYS = 14, 30


def to_html(document: Mapping[str, Any]) -> bytes:
    """Return the report as a page; every value is escaped, and its content policy allows its own script only."""
    hosts = document["hosts"]
    order = sorted(hosts, key=lambda name: (STATUSES.index(hosts[name]["status"]), name))
    kinds = sorted({row["kind"] for host in hosts.values() for row in host["objects"]})
    limit = max(DEVIATIONS_PER_HOST, DEVIATIONS_ON_PAGE // max(1, len(hosts)))
    instances = [_instance(number, name, hosts[name], kinds, limit) for number, name in enumerate(order, 1)]
    style, script = _asset("report.css"), _asset("report.js")
    template = _environment().get_template("report.html.j2")
    page = template.render(
        document=document,
        play=document["play"],
        totals=document["totals"],
        kinds=[_column(kind, hosts.values()) for kind in kinds],
        instances=instances,
        with_tokens=any(host["tokens"] for host in hosts.values()),
        with_posture=document["totals"].get("posture") is not None,
        open_details=sum(host["status"] != "clean" for host in hosts.values()) <= OPEN_DETAILS,
        bar=_bar(document["totals"]),
        common=_common(hosts),
        style=style,
        script=script,
        policy=f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'",
    )
    return encode(page)


@functools.cache
def _environment() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["masks"] = (MASK, NO_LOG_MASK)
    environment.filters.update(
        shown=_shown, kind_label=_kind_label, counted=counted, status_label=STATUS_LABELS.__getitem__
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


def _shown(value: Any) -> str:
    shown = text(value)
    return shown if len(shown) <= MAX_VALUE else f"{shown[:MAX_VALUE]}\u2026 (shortened)"


def _instance(number: int, name: str, host: Mapping[str, Any], kinds: Sequence[str], limit: int) -> Json:
    """Return the content of the page for one host; `find` is the text that the filter box searches."""
    rows: dict[str, list[Json]] = {kind: [] for kind in kinds}
    for row in host["objects"]:
        rows[row["kind"]].append(row)
    # Open deviations come first, because the end of a long list is omitted.
    drift = sorted(host["drift"], key=lambda entry: bool(entry["repaired"]))
    deviating = sorted({word for entry in open_deviations(host) for word in (entry["object"], entry["field"])})
    days = [token["days_left"] for token in host["tokens"] if token["days_left"] is not None]
    find = [name, host["status"], STATUS_LABELS[host["status"]], *deviating]
    find += [word for step in host["manual_steps"] for word in ("manual", step["title"])]
    find += [word for problem in host["problems"] for word in (problem["severity"], problem["id"])]
    return {
        "id": f"instance-{number}",
        "name": name,
        **host,
        "cells": [_cell(rows[kind]) for kind in kinds],
        "drift": drift[:limit],
        "drift_left_out": len(drift) - len(drift[:limit]),
        "open": len(open_deviations(host)),
        "in_sync": [group for kind in kinds if (group := _in_sync(kind, rows[kind]))["count"]],
        "token_days": min(days, default=None),
        "token_class": _nearness(min(days, default=None)),
        "tokens": [{**token, "nearness": _nearness(token["days_left"])} for token in host["tokens"]],
        "find": " ".join(find).lower(),
    }


def _cell(rows: Sequence[Mapping[str, Any]]) -> Json:
    """Return one cell of the heat map: its style, its sign, and its label for screen readers."""
    if not rows:
        return {"style": "none", "sign": "\N{MIDDLE DOT}", "label": "nothing reported"}
    failed = sum(row["status"] == FAILED for row in rows)
    # A missing object may have no field to count.
    deviations = sum(max(row["deviations"], 1) for row in rows if row["status"] == "drift")
    repaired = sum(row["repaired"] for row in rows)
    if failed:
        return {"style": "failed", "sign": "!", "label": f"{failed} failed"}
    if deviations:
        heat = 1 if deviations == 1 else 2 if deviations < 5 else 3
        return {"style": f"heat-{heat}", "sign": str(deviations), "label": counted(deviations, "deviation")}
    if repaired:
        sign = f"\N{CLOCKWISE OPEN CIRCLE ARROW} {repaired}"
        return {"style": "repaired", "sign": sign, "label": f"{repaired} repaired"}
    return {"style": "ok", "sign": "\N{CHECK MARK}", "label": "in sync"}


def _column(kind: str, hosts: Any) -> Json:
    deviating = sum(any(row["kind"] == kind and row["status"] != OK for row in host["objects"]) for host in hosts)
    return {"kind": kind, "deviating": deviating}


def _in_sync(kind: str, rows: Sequence[Mapping[str, Any]]) -> Json:
    names = [row["name"] for row in rows if row["status"] == OK]
    return {"kind": kind, "count": len(names), "names": names[:NAMES_PER_KIND], "left_out": len(names[NAMES_PER_KIND:])}


def _nearness(days: int | None) -> str:
    if days is None:
        return "unknown"
    return "soon" if days < SOON_DAYS else "near" if days < NEAR_DAYS else "far"


def _bar(totals: Mapping[str, int]) -> list[Json]:
    """Return the fleet as parts of one bar, in per cent of its width."""
    parts, start = [], 0.0
    for status in STATUSES:
        width = 100 * totals[status] / totals["hosts"] if totals["hosts"] else 0
        if width:
            parts.append({"status": status, "x": round(start, 3), "width": round(width, 3)})
        start += width
    return parts


def _common(hosts: Mapping[str, Any]) -> list[Json]:
    """Return the deviations that more than one host shares, the most frequent first."""
    found: Counter[tuple[str, str, str]] = Counter()
    for host in hosts.values():
        found.update({(entry["kind"], entry["name"], entry["field"]) for entry in open_deviations(host)})
    ranked = sorted(((count, seen) for seen, count in found.items() if count > 1), key=lambda item: (-item[0], item[1]))
    return [
        {"kind": kind, "name": name, "field": field, "hosts": count, "width": round(100 * count / len(hosts), 2)}
        for count, (kind, name, field) in ranked[:COMMON_DEVIATIONS]
    ]
