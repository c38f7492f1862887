# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentence about an inventory without instances."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.summary.missing_instances import (
    TAGS,
    missing_instances,
    misspelt_tags,
)

HOST = ["acme-dev"]
NONE = "the inventory has no instances in the group servicenow."


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"all": HOST, "servicenow": HOST}, ""),
        ({"all": HOST, "servicenows": HOST}, f"{NONE} Did you mean servicenows?"),
        ({"all": HOST, "servicenows": HOST, "defender": ["tenant"]}, f"{NONE} Did you mean servicenows?"),
        ({"all": HOST, "servicenow_prod": HOST}, f"{NONE} Did you mean servicenow_prod?"),
        ({"all": HOST}, f"{NONE} Add it, or set servicenow_defender_instances to the group that has the instances"),
        ({"all": []}, f"{NONE} Add it, or set servicenow_defender_instances to the group that has the instances"),
        ({"all": ["tenant"], "defender": ["tenant"]}, ""),
        ({"all": ["other"], "servicenow": []}, ""),
        ({"all": [], "servicenow": []}, f"{NONE} Add it, or set servicenow_defender_instances to the group that has the instances"),
    ],
)  # fmt: skip
def test_an_inventory_without_instances_is_one_sentence(groups: dict[str, list[str]], said: str) -> None:
    assert missing_instances(groups) == said


def test_the_names_of_both_groups_may_be_others_and_patterns_are_left_to_ansible() -> None:
    assert missing_instances({"all": HOST, "fleet": HOST}, "fleet") == ""
    assert missing_instances({"all": HOST, "fleets": HOST}, "fleet").endswith("group fleet. Did you mean fleets?")
    assert missing_instances({"all": HOST, "microsoft": HOST}, tenant_group="microsoft") == ""
    assert missing_instances({"all": HOST}, "release_*:!retired") == ""
    assert missing_instances({"all": HOST}, HOST[0]) == "", "a host stands for a group"


def test_a_host_with_the_name_of_a_group_that_has_others_is_named() -> None:
    fleet = {"all": ["acme-dev", "acme-qa", "servicenow"], "servicenow": ["acme-dev", "acme-qa", "servicenow"]}
    said = missing_instances(fleet)
    assert "with the name servicenow" in said
    assert "leaves out acme-dev, acme-qa. Rename the host, or set servicenow_defender_instances" in said
    assert missing_instances(fleet, "prod:servicenow") == said
    assert missing_instances({"all": ["servicenow"], "servicenow": ["servicenow"]}) == "", "nothing is left out"
    instance = {"all": ["defender", "tenant"], "servicenow": ["defender"], "defender": ["tenant"]}
    assert "leaves out tenant. Rename the host, or set servicenow_defender_tenant" in missing_instances(instance)
    assert missing_instances({"all": ["acme-dev", "defender"], "servicenow": HOST, "defender": ["defender"]}) == ""


@pytest.mark.parametrize("value", [None, "", " ", ["acme-dev", "acme-qa"], 5, {"a": 1}])
def test_what_cannot_be_a_group_is_refused(value: Any) -> None:
    groups = {"all": [*HOST, "tenant"], "servicenow": HOST, "defender": ["tenant"]}
    for variable, said in (
        ("instances", missing_instances(groups, value)),
        ("tenant", missing_instances(groups, "servicenow", value)),
    ):
        assert said == f"servicenow_defender_{variable} is {value!r}, and must be the name of a group of the inventory"


def test_a_tag_that_resembles_one_of_ours_is_misspelt() -> None:
    assert (
        misspelt_tags(["mine", "snwo"]) == "snwo is not a tag of this collection. Did you mean snow? Nothing was done"
    )
    assert misspelt_tags([*TAGS, "all", "nightly", "always"], ["all", "mine"]) == ""
    for words in ((["alwyas"],), (["all"], ["alwyas"])):
        assert misspelt_tags(*words) == "alwyas is not a tag of this collection. Did you mean always? Nothing was done"


@pytest.mark.parametrize("tag", ["always", "tagged"])
def test_a_run_without_its_checks_and_verdict_is_refused(tag: str) -> None:
    """No task would be left that can fail."""
    with pytest.raises(
        AnsibleFilterError, match=f"--skip-tags {tag} skips the checks and the verdict of a run as well"
    ):
        misspelt_tags(["all"], ["mda", tag])
