# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the roles of `onboard`, why no platform depends on some, and the names of the fleet that has all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.integration.playbooks import ROOT

# Instances of the fleet: fields of one are changed, objects of the second removed, those of the third renamed; the fourth is
# connected as an administrator, without a role of its own, and to neither service.
FIELDS, REMOVED, RENAMED, OTHER = FLEET = ("walk-fields", "walk-removed", "walk-renamed", "walk-other")
TENANT = "tenant"
# Not a table: the plugins of an instance, in any list that has them.
PLUGINS = "plugins"
ROLES = (
    "snow_preflight",
    "snow_connection",
    "mda_connection",
    "mda_protection",
    "mdc_itsm",
    "msem_connection",
    "mdc_configuration_compliance",
    "snow_hardening",
)
# Option of a role -> module, and option of the module, that defines its entries.
ENTRIES = {
    "mdc_configuration_compliance_assignment_rules": ("snow_compliance_rules", "assignment_rules"),
    "mdc_configuration_compliance_task_rules": ("snow_compliance_rules", "remediation_task_rules"),
    "mda_protection_ip_ranges": ("mda_ip_ranges", "ip_ranges"),
    "mda_protection_policies": ("mda_policies", "policies"),
    "mdc_itsm_plan_extensions": ("mdc_plan", "extensions"),
    "mdc_itsm_rules": ("mdc_governance_rule", ""),
}
MODULES = ROOT / "plugins/modules"

# Names in the fleet.
USER_MDA, USER_MDC, ROLE = "walk_apps", "walk_cloud", "walk_reader"
APP_MDA, APP_MDC = "Walk Cloud Apps", "Walk Cloud"
TABLES = (
    "sys_user", "sys_user_group", "sys_user_grmember", "sys_user_has_role", "sys_user_role_contains", "sys_properties",
    "v_plugin", "sysevent", "sysevent_script_action", "syslog_transaction", "sys_attachment", "sys_attachment_doc",
    "incident", "problem",
)  # fmt: skip
TERMINATED, MALWARE, NEW_APP = "Activity performed by terminated user", "Malware detection", "New high volume app"
BRANCH, WALK_APP = "Walk branch", "Walk ServiceNow"
GROUP = "/providers/Microsoft.Management/managementGroups/mg-acme"
COMPLIANCE, CONFIGURATION = "sn_vul_msft_tvm_dfc_setup", "configuration Microsoft Defender for Cloud"
RECOMMENDATION = "4fb67663-9ab9-475d-b026-8c544cced439"

# Why no drift follows from an option.
CREDENTIALS = "never read back; compared with what was accepted, see test_accepted_credentials"
STORED = "where secrets and records are kept, see test_stored_secrets"
CONNECTION = "how the platform is reached"
SELECTS = "selects the objects that are compared, or the host that compares them"
DEFAULT_OF_OTHERS = "gives the default of other options, which are compared"
WAITS = "how long a run waits"
FAILS = "what fails a run"
OF_ITS_OWN = (
    "the application in Entra, which another instance of the walk has by its client id; see test_entra_rotation"
)
ALLOWS = "allows a write; drift is the same without it"
READS = "what is read or counted; there is no desired state"
WRITES_A_FILE = "writes a file on the controller"
ACTS = "an action of a run, which leaves no state"
NOT_RETURNED = "Microsoft does not return it"
PORTAL_ONLY = "only shown in the manual step"
IN_PREFLIGHT = "the preflight fails the instance, see PREFLIGHT"
LATER = "changed alone, see PLAN_OFF"
NOT_WRITTEN = "compared, and never written; see test_session_control"
SIGN_IN = "how a service signs in; what follows from it is compared, see test_exposure_management"
IN_ENTRIES = "compared by the options of its entries"


class Change(NamedTuple):
    """A row that someone changes, inserts (no `match`) or deletes (no `values`), and the drift that this is."""

    host: str
    table: str
    match: Mapping[str, Any]
    values: Mapping[str, Any]
    object: str
    field: str = "state"


def options() -> Iterator[str]:
    """Yield the options of the roles, and those of their entries as `option.entry`, as they are documented now."""
    found: dict[str, None] = {}
    for role in ROLES:
        entry_points = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())["argument_specs"]
        for name in (name for entry_point in entry_points.values() for name in entry_point["options"]):
            found[name] = None
            found |= dict.fromkeys(f"{name}.{entry}" for entry in _entries(name))
    yield from found


def _entries(option: str) -> list[str]:
    if option not in ENTRIES:
        return []
    module, name = ENTRIES[option]
    documentation = _documentation(MODULES / f"{module}.py")
    if name:
        return list(documentation["options"][name]["suboptions"])
    shared = (
        ["scope"]
        if any(each.endswith("._azure.scope") for each in documentation["extends_documentation_fragment"])
        else []
    )
    return [*documentation["options"], *shared]


def _documentation(path: Path) -> dict[str, Any]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            content: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))
            return content
    raise AssertionError(f"{path} has no DOCUMENTATION")
