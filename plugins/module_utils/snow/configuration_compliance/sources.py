# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the findings of every cloud arrive: failed results by where the resource is, and the age of the last import.

The provider is kept on the discovered item; the names of the columns are not published and are found in the dictionary
(docs/facts/configuration_compliance.md#findings-by-source).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from ...engine.problem import ERROR, WARNING, Problem
from ...engine.snapshot import Row
from ..client import ServiceNowClient
from ..query import Counts, TableQuery, any_of, encoded
from .constants import ASSESSMENTS, COMPREHENSIVE, RESULTS, TITLES
from .jobs import Run

ITEMS = "sn_sec_cmn_src_ci"
AZURE, AWS, GCP, ON_PREMISES = "azure", "aws", "gcp", "on_premises"
SOURCES = (AZURE, AWS, GCP, ON_PREMISES)
NAMES = {AZURE: "Azure", AWS: "AWS", GCP: "GCP", ON_PREMISES: "on-premises machines (Azure Arc)"}
PROVIDERS = (
    (AWS, re.compile(r"aws|amazon", re.IGNORECASE)),
    (GCP, re.compile(r"gcp|google", re.IGNORECASE)),
    (ON_PREMISES, re.compile(r"on.?prem", re.IGNORECASE)),
    (AZURE, re.compile(r"azure|microsoft", re.IGNORECASE)),
)
# In the ids of machines that Azure Arc projects into Azure.
ARC = "microsoft.hybridcompute/"
TIME = "%Y-%m-%dT%H:%M:%SZ"


def count_by_source(client: ServiceNowClient, source: str) -> dict[str, Any]:
    """Return `sources`, the number of failed results by `SOURCES` (None if unknown), and the `reason` why it is unknown."""
    fields = ("sys_id", "name", "element", "column_label", "reference")
    query = f"{any_of('name', (RESULTS, ITEMS))}^elementISNOTEMPTY"
    (columns,) = client.query([TableQuery("sys_dictionary", query, fields, optional=True)])
    link = _only(row for row in columns.rows if row.get("name") == RESULTS and row.get("reference") == ITEMS)
    items = [row for row in columns.rows if row.get("name") == ITEMS]
    provider = _only(row for row in items if "provider" in f"{row.get('element')} {row.get('column_label')}".lower())
    resource = _only(row for row in items if row.get("element") == "source_id")
    if not (link and provider and resource):
        return _unknown(columns.refused or f"sys_dictionary does not show the columns of {ITEMS} to the account")
    failed = encoded({"source": source, "result": "Failed"})
    by_provider, arc = client.query([
        Counts(RESULTS, failed, (f"{link}.{provider}",), optional=True),
        Counts(RESULTS, f"{failed}^{link}.{resource}LIKE{ARC}", ("result",), optional=True),
    ])  # fmt: skip
    if by_provider.refused or arc.refused:
        return _unknown(by_provider.refused or arc.refused)
    found = dict.fromkeys(SOURCES, 0)
    for row in by_provider.rows:
        name = next((name for name, pattern in PROVIDERS if pattern.search(row.get(f"{link}.{provider}", ""))), "")
        found[name or AZURE] += _number(row)
    machines = sum(map(_number, arc.rows))
    found[AZURE] = max(found[AZURE] - machines, 0)
    found[ON_PREMISES] += machines
    return {"sources": found, "reason": ""}


def source_problems(found: Mapping[str, Any], expected: Mapping[str, int], *, comparable: bool) -> Iterator[Problem]:
    """Compare the failed results of each source with the unhealthy assessments that Azure has of it."""
    if found["sources"] is None:
        yield Problem(
            "sources_unknown", WARNING, f"Whether the findings of every cloud arrive is unknown: {found['reason']}",
            "Grant the account sn_vulc.read and read access to sys_dictionary",
        )  # fmt: skip
        return
    for name, count in expected.items():
        actual = found["sources"][name]
        if count and not actual:
            yield Problem(
                f"source_missing:{name}", ERROR if comparable else WARNING,
                f"No finding of {NAMES[name]} has arrived, of which Azure has {count} unhealthy assessments",
                f"Check that the application may read the security connectors and subscriptions of {NAMES[name]}, and that they are imported"
                if comparable else f"Check again after {TITLES[COMPREHENSIVE]} has run",
            )  # fmt: skip
        elif comparable and actual != count:
            yield Problem(
                f"source_differs:{name}", WARNING,
                f"Azure has {count} unhealthy assessments of {NAMES[name]}, ServiceNow {actual} failed results",
                "Check the last runs of both assessment jobs, and whether the same subscriptions are counted",
            )  # fmt: skip


def last_import(runs: Mapping[str, Run]) -> dict[str, Any] | None:
    """Return when assessments were last imported successfully, and how many hours ago; None if no last run succeeded."""
    ended = [
        run.as_dict()["ended_at"] for key in (ASSESSMENTS, COMPREHENSIVE) if (run := runs.get(key)) and run.succeeded
    ]
    newest = max((text for text in ended if text), default="")
    if not newest:
        return None
    age = datetime.now(timezone.utc) - datetime.strptime(newest, TIME).replace(tzinfo=timezone.utc)
    return {"ended_at": newest, "age_hours": max(int(age.total_seconds() // 3600), 0)}


def age_problems(found: Mapping[str, Any] | None, max_hours: int) -> Iterator[Problem]:
    """Return the problem that what was imported is old. `max_hours` 0 is no limit."""
    if found and max_hours and found["age_hours"] > max_hours:
        yield Problem(
            "import_old", WARNING,
            f"The last successful import of assessments ended {found['age_hours']} hours ago ({found['ended_at']}), more than {max_hours}",
            f"Check the schedule of {TITLES[ASSESSMENTS]}, or press Execute Now",
        )  # fmt: skip


def _only(rows: Iterable[Row]) -> str:
    found = {row.get("element", "") for row in rows} - {""}
    return found.pop() if len(found) == 1 else ""


def _number(row: Row) -> int:
    return int(row["count"]) if row.get("count", "").isdigit() else 0


def _unknown(reason: str) -> dict[str, Any]:
    return {"sources": None, "reason": reason}
