# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a run would work on nothing, or on too little: the group of the instances is missing, misspelt or hidden by a host, or a tag is misspelt."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..fleet import DEFAULT_INSTANCES, DEFAULT_TENANT, INSTANCES_VARIABLE, TENANT_VARIABLE, did_you_mean
from .lines import named
from .missing_tenant import BUILT_IN_GROUPS

# Those of all playbooks; a playbook of the user's own may have others.
TAGS = frozenset({"activity", "harden", "mda", "mdc", "msem", "preflight", "snow", "tenant", "verify"})
OF_ANSIBLE = frozenset({"all", "always", "never", "tagged", "untagged"})
# Those of `--skip-tags` that skip the tasks with the tag always.
SKIPS_CHECKS = frozenset({"always", "tagged"})
# Of a pattern, such as `servicenow:!retired`, which is no name of a group.
PATTERN_CHARACTERS = frozenset(":,&!*?[]~")


def missing_instances(
    groups: Mapping[str, Collection[str]], group: str = DEFAULT_INSTANCES, tenant_group: str = DEFAULT_TENANT
) -> str:
    """Return one sentence if the inventory lacks the group of the instances, has a misspelt one, or one that a host hides; else "".

    A host may stand for a group, a tenant may be alone in an inventory, and a group that is there may have no host in the slice of a job.
    `--limit` has no part in `groups`.
    """
    for pattern, variable in ((group, INSTANCES_VARIABLE), (tenant_group, TENANT_VARIABLE)):
        if problem := group_problem(groups, pattern, variable):
            return problem
    if groups.get(group) or group in groups.get("all", ()) or set(group) & PATTERN_CHARACTERS:
        return ""
    names = [name for name in groups if name not in BUILT_IN_GROUPS and name != group]
    is_misspelt = group not in groups and bool(did_you_mean(group, names))
    has_others = bool(groups.get(tenant_group)) or (group in groups and bool(groups.get("all")))
    if has_others and not is_misspelt:
        return ""
    hint = (
        did_you_mean(group, names, cutoff=0.6)
        or f" Add it, or set {INSTANCES_VARIABLE} to the group that has the instances"
    )
    return f"the inventory has no instances in the group {group}.{hint}"


def group_problem(groups: Mapping[str, Collection[str]], pattern: Any, variable: str) -> str:
    """Return one sentence if `pattern`, the value of `variable`, names no group, or one that has the name of a host; else "".

    Ansible takes such a host for the group, and leaves out the hosts of the group.
    """
    if not isinstance(pattern, str) or not pattern.strip():
        return f"{variable} is {pattern!r}, and must be the name of a group of the inventory"
    for name in filter(None, re.split("[:,&!]+", pattern)):
        left_out = sorted({*groups.get(name, ())} - {name})
        if left_out and name in groups.get("all", ()):
            return (
                f"the inventory has a host and a group with the name {name}, for which Ansible takes the host alone and leaves out "
                f"{named(left_out)}. Rename the host, or set {variable} to a group with another name"
            )
    return ""


def misspelt_tags(tags: Iterable[str], skip_tags: Iterable[str] = ()) -> str:
    """Return one sentence for the first tag of `--tags` or `--skip-tags` that resembles one of `TAGS` or of Ansible and is none; else "".

    Raises `AnsibleFilterError` for a tag that skips the checks and the verdict as well: no task would be left to fail.
    """
    skipped = list(skip_tags)
    for tag in (*tags, *skipped):
        hint = "" if tag in TAGS or tag in OF_ANSIBLE else did_you_mean(tag, sorted(TAGS | OF_ANSIBLE))
        if hint:
            return f"{tag} is not a tag of this collection.{hint} Nothing was done"
    for tag in skipped:
        if tag in SKIPS_CHECKS:
            raise AnsibleFilterError(
                f"--skip-tags {tag} skips the checks and the verdict of a run as well. Nothing was done; name what is to be left out, "
                f"of {', '.join(sorted(TAGS))}"
            )
    return ""
