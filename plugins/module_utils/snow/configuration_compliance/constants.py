# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, ids and labels of Configuration Compliance and of the integration.

See docs/facts/configuration_compliance.md#the-application, docs/facts/configuration_compliance.md#the-integration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...option_names import named_option

# The role whose variables have the names of the options.
ROLE = "mdc_configuration_compliance"
SIGN_IN = (
    f"{named_option('tenant_id', ROLE)}, {named_option('client_id', ROLE)} and {named_option('client_secret', ROLE)}"
)

# -- applications -------------------------------------------------------------------------------------------------------

COMPLIANCE, COMPLIANCE_SCOPE = "com.snc.vulc", "sn_vulc"
NEW, OLD = "sn_vul_msft_tvm", "sn_vul_asc"
OLD_STORE_ID = "app-vul-asc"
# Before this major version the scope is that of Threat and Vulnerability Management alone.
FIRST_WITH_CLOUD = 3
# First major version of the USEM line: of the integration, and of the other applications.
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
# Every instance has this scope and table: if they are not visible, the account cannot read the lists.
ALWAYS_PRESENT_SCOPE, ALWAYS_PRESENT_TABLE = "global", "sys_user"
RESULTS, TESTS = "sn_vulc_result", "sn_vulc_test"
# Exists on the USEM line only (docs/facts/configuration_compliance.md#tables).
USEM_TABLE = "sn_sec_wf_assign_rule"

PLUGIN, APPLICATION = "plugin", "application"
# Kind and id, in the documented order. USEM applications are not included, because the migration to USEM is irreversible.
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

# -- the integration --------------------------------------------------------------------------------------------------

IMPLEMENTATIONS, DEFINITIONS, PARAMETERS = "sn_sec_int_impl", "sn_sec_int_config", "sn_sec_int_impl_config"
# Declared length of a parameter's value.
PARAMETER_LENGTH = 512
DEFENDER_FOR_CLOUD = re.compile(
    r"defender[\W_]*for[\W_]*cloud(?![\W_]*apps)|azure[\W_]*security[\W_]*center", re.IGNORECASE
)
# The first product name of the old application (docs/facts/configuration_compliance.md#names-and-versions).
OLD_PRODUCT_NAME = re.compile(r"security[\W_]*center", re.IGNORECASE)
LABELS = {
    "api_url": "API URL",
    "tenant_id": "Tenant ID",
    "client_id": "Client ID",
    "client_secret": "Client secret",
    "import_from": "Import Findings from",
    "management_groups": "Management Group IDs",
    "subscriptions": "Subscription IDs",
}
# What a new configuration gets for a field that is not set.
ON_CREATE = {"api_url": "https://management.azure.com"}
VALIDATION_STATUS = "validation status"
# The form of Threat and Vulnerability Management has tenant, client and secret as well; these labels are unique to ours.
DISTINCTIVE = frozenset({"import_from", "management_groups", "subscriptions"})
ALL, MANAGEMENT_GROUPS, SUBSCRIPTIONS = "all", "management_groups", "subscriptions"
CHOICES = {
    ALL: "the remaining choice, which imports everything",
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

# -- jobs -------------------------------------------------------------------------------------------------------------

RUN_AS = "VR.System"
JOB_TABLES = ("sn_vul_integration", "sn_sec_cmn_integration", "sn_vul_int_fw_integration")
RUN_TABLES = {
    "sn_vul_integration": "sn_vul_integration_run",
    "sn_sec_cmn_integration": "sn_vul_integration_run",
    "sn_vul_int_fw_integration": "sn_vul_int_fw_integration_run",
}


@dataclass(frozen=True)
class JobKind:
    """One of the jobs: `key` in options, `title` in the documentation, `pattern` of its name."""

    key: str
    title: str
    pattern: re.Pattern[str]


def _kind(key: str, title: str, pattern: str) -> JobKind:
    return JobKind(key, title, re.compile(pattern, re.IGNORECASE))


ASSESSMENTS, COMPREHENSIVE, CONTAINERS = "assessments", "comprehensive_assessments", "container_images"
# In the order in which they must run.
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
