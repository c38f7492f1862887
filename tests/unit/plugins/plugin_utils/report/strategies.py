# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of any shape, with unlikely texts: control characters, lone surrogates, markup."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.collect import Fleet, TaskReport
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.report.document import make

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=timezone.utc)
ACTIONS = ("secops.servicenow_defender.snow_instance", "secops.servicenow_defender.snow_properties")

MARKUP = (
    "</script><script>x</script>",
    '"><img src=x onerror=x>',
    "]]>",
    "&amp;",
    "\x00\x0b\x1f",
    "\ud800",
    "\uffff",
    "",
)
texts = st.one_of(st.sampled_from(MARKUP), st.text(st.characters(exclude_categories=()), max_size=12))
names = st.one_of(st.sampled_from(["user a", "user b", "role c d", "glide.e"]), texts)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
deviations = st.fixed_dictionaries({"object": names, "field": texts, "before": values, "after": values})
steps = st.fixed_dictionaries(
    {
        "id": texts,
        "title": texts,
        "reason": texts,
        "where": texts,
        "values": st.dictionaries(texts, values, max_size=2),
        "secret_values": st.lists(texts, max_size=2),
    }
)
problems = st.fixed_dictionaries({"id": texts, "severity": texts, "message": texts, "remedy": texts})
tokens = st.fixed_dictionaries(
    {"name": texts, "refresh_token_expires_at": st.one_of(texts, st.just("2026-03-09 00:00:00"))}
)
results = st.fixed_dictionaries(
    {"changed": st.booleans()},
    optional={
        "drift": st.lists(deviations, max_size=3),
        "manual_steps": st.lists(steps, max_size=2),
        "problems": st.lists(problems, max_size=2),
        "oauth_applications": st.lists(tokens, max_size=2),
        "results": st.lists(st.dictionaries(st.sampled_from(["name", "status", "object"]), texts), max_size=3),
        "msg": values,
    },
)
reports = st.builds(
    TaskReport,
    host=st.one_of(st.sampled_from(["acme-dev", "acme-test"]), texts),
    action=st.sampled_from(ACTIONS),
    result=results,
    task=texts,
    outcome=st.sampled_from(["ok", "ok", "failed", "unreachable"]),
    check_mode=st.booleans(),
)


def document_of(found: list[TaskReport], run_id: str | None = None) -> dict[str, Any]:
    """Return the report of a run with these results, in which no failure was rescued."""
    fleet = Fleet()
    for report in found:
        fleet.add(report)
    fleet.settle({host: len(findings.failures) for host, findings in fleet.hosts.items()})
    play = {"playbooks": ["drift.yml"], "plays": ["Compare"], "started_at": NOW.isoformat(), "run_id": run_id}
    return make(fleet, play, NOW)


documents = st.lists(reports, max_size=4).map(document_of)
