# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration Compliance and the Defender for Cloud integration.

See docs/facts/configuration_compliance.md#the-application, docs/facts/configuration_compliance.md#the-integration.
"""

TVM = "sn_vul_msft_tvm"
ASC = "app-vul-asc"
COMPLIANCE = "sn_vulc"
# Both names of Configuration Compliance: the scope of its store entry and its plugin-style id (1.3).
PLUGIN_OF = {"sn_vulc": "com.snc.vulc"}

# id | dependencies; in the order in which 1.1 (CC2) installs them. Plugins have ids that start with com.
# That the integration needs both Vulnerability Response and Configuration Compliance: 1.1, last but one row.
PACKAGES = """
com.snc.security_support.core |
com.snc.security_incident     | com.snc.security_support.core
com.snc.vul_dep               |
sn_sec_int                    | com.snc.security_support.core
sn_sec_cmn                    | sn_sec_int
sn_sec_cmn_orch               | sn_sec_cmn
sn_vul_cmn                    | com.snc.vul_dep, sn_sec_cmn, sn_sec_cmn_orch
app-sec-calculator            | sn_vul_cmn
app-sec-workflow              | sn_vul_cmn
app-sec-rem                   | sn_vul_cmn
app-vul-uasm                  | sn_vul_cmn
app-sec-exception             | sn_vul_cmn
sn_vul                        | sn_vul_cmn, app-sec-calculator, app-sec-workflow, app-sec-rem, app-vul-uasm, \
    app-sec-exception
com.snc.vulc_dep              |
sn_vulc                       | com.snc.vulc_dep, sn_vul_cmn
sn_vul_container              | sn_vul
sn_vul_cmn_ws                 | sn_vul_cmn
sn_vul_msft_tvm               | sn_vul, sn_vulc
app-vul-asc                   | sn_vul, sn_vulc
"""
# Only the USEM line has them (1.1).
USEM_ONLY = frozenset(
    ("app-sec-calculator", "app-sec-workflow", "app-sec-rem", "app-vul-uasm", "app-sec-exception", "sn_vul_container")
)
# Sold as a separate subscription (1.2); without it none of these installs.
LICENSED = frozenset(("sn_vulc", "com.snc.vulc", "com.snc.vulc_dep", "sn_vul", TVM, ASC))
CLASSIC_VERSIONS = {"sn_vulc": "15.9.0", "sn_vul": "15.9.0", TVM: "3.0.3"}

# package | role | contained roles | description (1.4)
ROLES = """
sn_sec_int      | sn_sec_int.admin                      |                       | Integration framework
sn_sec_cmn      | sn_sec_cmn.read                       |                       | Reads security support
sn_sec_cmn      | sn_sec_cmn.calc_read                  |                       | Reads calculators
sn_sec_cmn      | sn_sec_cmn.int_write                  |                       | Writes the integration framework
sn_sec_cmn      | sn_sec_cmn.admin                      | sn_sec_int.admin, sn_sec_cmn.int_write | Security support
sn_vul          | sn_vul.read                           |                       | Reads vulnerability data
sn_vul          | sn_vul.view_manager_workspace         |                       | Manager workspace
sn_vul          | sn_vul.view_rem_workspace             |                       | Remediation workspace
sn_vulc         | sn_vulc.write_assignment              |                       | Assigns
sn_vulc         | sn_vulc.advanced_read                 |                       | Reads more
sn_vulc         | sn_vulc.remediation_owner             | sn_sec_cmn.read, sn_vulc.write_assignment, \
    sn_vul.view_rem_workspace | Remediates
sn_vulc         | sn_vulc.read                          | sn_sec_cmn.calc_read, sn_vul.view_manager_workspace | Reads
sn_vulc         | sn_vulc.write                         | sn_vulc.read, sn_vulc.remediation_owner | Writes
sn_vulc         | sn_vulc.admin                         | sn_vulc.write         | Properties, rules, integrations
sn_vulc         | sn_vulc.auditor                       | sn_vulc.read, sn_vulc.advanced_read | Audits
sn_vulc         | sn_vulc.exception_approver            |                       | Approves exceptions
sn_vulc         | sn_vulc.false_positive_approver       |                       | Approves false positives
sn_vulc         | sn_vulc.delete                        |                       | Deletes
sn_vulc         | sn_vulc.import_admin                  | import_admin          | Runs the jobs
sn_vul_msft_tvm | sn_vul_msft_tvm.read_integration      |                       | Reads the integration
sn_vul_msft_tvm | sn_vul_msft_tvm.configure_integration | sn_vul_msft_tvm.read_integration | Configures the integration
app-vul-asc     | sn_vul_asc.read_integration           |                       | Reads the integration
app-vul-asc     | sn_vul_asc.configure_integration      | sn_vul_asc.read_integration | Configures the integration
"""
# package | role that will contain another one
CONTAINED = """
sn_vulc         | itil | sn_vulc.remediation_owner
"""
# package | user name | first, last name | roles
USERS = """
sn_vul          | VR.System | VR System | sn_sec_cmn.admin, import_admin
sn_vulc         | CC.System | CC System | sn_vulc.import_admin
"""
# package | property | value (1.5, 2.4)
PROPERTIES = """
sn_vulc         | sn_vulc.exception_max_request_days           | 365
sn_vulc         | sn_vulc.exception_approval_required          | true
sn_vul          | sn_vul.import_host_tags                      | true
sn_sec_cmn      | sn_sec_cmn.record_threshold_heartbeat        | 5000
sn_sec_cmn      | sn_sec_cmn.maximum_heartbeat_delay           | 60
sn_sec_cmn      | sn_sec_cmn.unmatched_cloud_resource_enabled  | false
"""
# table (a star for a prefix) | operations | roles. Who may write which framework table is LIKELY (1.4).
RULES = """
sn_si_incident          | read create write        | sn_si.analyst
sn_vulc_*               | read                     | sn_vulc.read
sn_vulc_*               | create write delete      | sn_vulc.write
sn_vul_int*             | read                     | sn_vulc.read, sn_vul.read
sn_vul_rest_*           | read                     | sn_vulc.read, sn_vul.read
sn_vul_ds_*             | read                     | sn_vulc.read, sn_vul.read
sn_vul_missing_asset    | read                     | sn_vulc.read, sn_vul.read
sn_vul_integration      | write                    | sn_vulc.admin, sn_sec_cmn.int_write
sn_vul_rest_integration | write                    | sn_vulc.admin, sn_sec_cmn.int_write
sn_sec_int_*            | read                     | sn_sec_int.admin, sn_sec_cmn.int_write, sn_vulc.admin
sn_sec_int_*            | create write delete      | sn_sec_int.admin, sn_sec_cmn.int_write
sn_sec_cmn_*            | read                     | sn_sec_cmn.read, sn_vulc.read
"""
# Application -> its integration: name, id, source, role prefix.
INTEGRATIONS = {
    TVM: ("Microsoft Defender for Cloud", "microsoft_defender_for_cloud", "sn_vul_msft_tvm"),
    ASC: ("Azure Security Center", "azure_security_center_defender_for_cloud", "sn_vul_asc"),
}
# key | name | run_type | day of the week | time of day. 2.3 gives the order and that the comprehensive one is weekly; the
# intervals of the others are UNKNOWN and chosen here.
JOBS = """
policies      | Policy Definitions Integration                    | daily  |   | 1970-01-01 01:00:00
metadata      | Assessment Metadata Integration                   | daily  |   | 1970-01-01 01:30:00
standards     | Compliance Standards & Controls Integration       | daily  |   | 1970-01-01 02:00:00
assessments   | Assessment Integration                            | daily  |   | 1970-01-01 02:30:00
comprehensive | Comprehensive Assessment Integration              | weekly | 7 | 1970-01-01 04:00:00
containers    | Container Image Vulnerabilities Integration       | daily  |   | 1970-01-01 05:00:00
"""
RUN_AS = "VR.System"
# A job of the other half of the shared application, which a client must distinguish; its name is made up.
OTHER_JOB = "Microsoft TVM Recommendations Integration"
OTHER_INSTANCE = "Microsoft TVM"

# name | label | type | mandatory | default: the form of 2.2 as parameters of an instance; names are made up.
PARAMETERS = """
mdc_api        | API URL              | string   | true  | https://management.azure.com
mdc_directory  | Tenant ID            | string   | true  |
mdc_app        | Client ID            | string   | true  |
mdc_app_pass   | Client secret        | password | true  |
mdc_from       | Import Findings from | choice   | true  | all
mdc_mg         | Management Group IDs | string   | false |
mdc_sub        | Subscription IDs     | string   | false |
"""
