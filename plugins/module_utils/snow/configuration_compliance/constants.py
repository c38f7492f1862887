# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of Configuration Compliance and of the integration before an instance is asked.

See docs/facts/configuration_compliance.md#the-application, docs/facts/configuration_compliance.md#the-integration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# -- applications (1.1, 1.3, 2.1) -------------------------------------------------------------------------------------

COMPLIANCE, COMPLIANCE_SCOPE = "com.snc.vulc", "sn_vulc"
NEW, OLD = "sn_vul_msft_tvm", "sn_vul_asc"
OLD_STORE_ID = "app-vul-asc"
# The scope belonged to Threat and Vulnerability Management alone before it took the old application in (2.1: 3.0.2).
FIRST_WITH_BOTH_HALVES = 3
# From this major version on it is the USEM line: of the integration, and of everything else (1.1, 2.1).
USEM_INTEGRATION, USEM = 31, 30
PLUGINS = (
    COMPLIANCE,
    "com.snc.vulc_dep",
    "com.snc.vul_dep",
    "com.snc.vulnerability",
    "com.snc.security_support.core",
    OLD_STORE_ID,
)
SCOPES = (
    COMPLIANCE, COMPLIANCE_SCOPE, "sn_vul", "sn_sec_int", "sn_sec_cmn", "sn_sec_cmn_orch", "sn_vul_cmn", "sn_vul_container", NEW, OLD,
    OLD_STORE_ID,
)  # fmt: skip
# A scope that every instance has: seeing none means not being allowed to look.
ALWAYS_THERE_SCOPE, ALWAYS_THERE_TABLE = "global", "sys_user"
RESULTS, TESTS = "sn_vulc_result", "sn_vulc_test"
# Exists on the USEM line only (docs/facts/configuration_compliance.md#tables).
USEM_TABLE = "sn_sec_wf_assign_rule"

PLUGIN, APPLICATION = "plugin", "application"
# Kind and id, in the order of 1.1; the USEM applications are left out, as going there cannot be undone.
INSTALL_ORDER = (
    (PLUGIN, "com.snc.vul_dep"),
    (APPLICATION, "sn_sec_int"),
    (APPLICATION, "sn_sec_cmn"),
    (APPLICATION, "sn_sec_cmn_orch"),
    (APPLICATION, "sn_vul_cmn"),
    (APPLICATION, "sn_vul"),
    (PLUGIN, "com.snc.vulc_dep"),
    (PLUGIN, COMPLIANCE),
    (APPLICATION, NEW),
)

# -- the integration (2.2, 2.4) ---------------------------------------------------------------------------------------

IMPLEMENTATIONS, DEFINITIONS, PARAMETERS = "sn_sec_int_impl", "sn_sec_int_config", "sn_sec_int_impl_config"
# Declared length of a parameter's value.
PARAMETER_LENGTH = 512
OURS = re.compile(r"defender[\W_]*for[\W_]*cloud(?![\W_]*apps)|azure[\W_]*security[\W_]*center", re.IGNORECASE)
# What the old application was called at first (docs/facts/configuration_compliance.md#names-and-versions).
FIRST_NAME = re.compile(r"security[\W_]*center", re.IGNORECASE)
LABELS = {
    "api_url": "API URL",
    "tenant_id": "Tenant ID",
    "client_id": "Client ID",
    "client_secret": "Client secret",
    "import_from": "Import Findings from",
    "management_groups": "Management Group IDs",
    "subscriptions": "Subscription IDs",
}
VALIDATION_STATUS = "validation status"
# The sister half has a form with tenant, client and secret, too; these are on ours alone.
DISTINCTIVE = frozenset({"import_from", "management_groups", "subscriptions"})
ALL, MANAGEMENT_GROUPS, SUBSCRIPTIONS = "all", "management_groups", "subscriptions"
CHOICES = {
    ALL: "the choice that is neither of the two named ones (everything)",
    MANAGEMENT_GROUPS: "Specific Management Groups",
    SUBSCRIPTIONS: "Specific Subscriptions",
}
NEW_NAME = "Microsoft Defender Integration for Security Exposure Management"
OLD_NAME = "Microsoft Defender for Cloud Integration for Security Operations"
FORM = {
    NEW: f"All > {NEW_NAME} > Microsoft Defender for Cloud Integration > Administration > Configuration > "
    f"Microsoft Defender for Cloud Configuration",
    OLD: "All > Microsoft Defender for Cloud Integration > Administration > Configuration > Microsoft Defender for Cloud Configuration",
}
CONFIGURE_ROLES = {NEW: f"{NEW}.configure_integration", OLD: f"{OLD}.configure_integration"}

# -- jobs (2.3, 2.4, 2.5) ---------------------------------------------------------------------------------------------

RUN_AS = "VR.System"
JOB_TABLES = ("sn_vul_integration", "sn_sec_cmn_integration", "sn_vul_int_fw_integration")
RUN_TABLES = {
    "sn_vul_integration": "sn_vul_integration_run",
    "sn_sec_cmn_integration": "sn_vul_integration_run",
    "sn_vul_int_fw_integration": "sn_vul_int_fw_integration_run",
}


@dataclass(frozen=True)
class JobKind:
    """One of the jobs: `key` is what options call it, `title` what the documentation does, `pattern` finds its name."""

    key: str
    title: str
    pattern: re.Pattern[str]


def _kind(key: str, title: str, pattern: str) -> JobKind:
    return JobKind(key, title, re.compile(pattern, re.IGNORECASE))


ASSESSMENTS, COMPREHENSIVE, CONTAINERS = "assessments", "comprehensive_assessments", "container_images"
# In the order in which they have to run.
JOBS = (
    _kind("policy_definitions", "Policy Definition(s) Integration", r"polic(y|ies) definitions?(\(s\))? integration"),
    _kind("assessment_metadata", "Assessment Metadata Integration", r"assessments? metadata integration"),
    _kind(
        "compliance_standards", "Compliance Standards & Controls Integration",
        r"compliance standards? (&|&amp;|and) controls? integration",
    ),
    _kind(ASSESSMENTS, "Assessment Integration", r"(?<!comprehensive )\bassessments? integration"),
    _kind(COMPREHENSIVE, "Comprehensive Assessment Integration", r"comprehensive assessments? integration"),
    _kind(CONTAINERS, "Container Image Vulnerabilities Integration", r"container images? vulnerabilit(y|ies) integration"),
)  # fmt: skip
JOB_KEYS = tuple(kind.key for kind in JOBS)
TITLES = {kind.key: kind.title for kind in JOBS}
