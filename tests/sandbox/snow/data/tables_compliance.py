# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that store applications bring, by application.

Table names are the documented ones. Some columns are documented; the others are LIKELY.

See docs/facts/configuration_compliance.md#tables, docs/facts/configuration_compliance.md#framework-tables.
"""

SEC_INT = """
sn_sec_int_integration | Third Party Integration | sys_metadata | name
    name                            | string(100)
    id (ID)                         | string(100)
    source                          | string(100)
    integration_type                | string(40)
    short_description               | string(200)
    configurable                    | boolean | true
    order                           | integer | 100
    asset_type                      | string(40)
    include_proof (Include proof in VI key) | boolean | false
sn_sec_int_impl | Integration Instance | sys_metadata | name
    name                            | string(100)
    active                          | boolean | true
    integration                     | reference:sn_sec_int_integration
    is_default                      | boolean | false
    validation_status               | string(100)
sn_sec_int_config | Integration Parameter | sys_metadata | label
    name                            | string(100)
    label                           | string(100)
    display_name                    | string(100)
    elem_type                       | string(40)
    mandatory                       | boolean | false
    default_value                   | string(512)
    password_value                  | password2
    order                           | integer | 100
    integration                     | reference:sn_sec_int_integration
sn_sec_int_impl_config | Integration Instance Parameter | | configuration
    implementation (Integration instance) | reference:sn_sec_int_impl
    configuration                   | reference:sn_sec_int_config
    value                           | string(512)
    password_value                  | password2
"""
SEC_CMN = """
sn_sec_cmn_src_ci | Discovered Item | | name
    name                            | string(255)
    source                          | string(100)
    source_id                       | string(512)
    cmdb_ci (Configuration item)    | reference:cmdb_ci
    cloud_account                   | string(100)
    cloud_region                    | string(100)
    cloud_resource_type             | string(100)
    cloud_service_provider          | string(100)
sn_sec_cmn_host_tag | Host Tag | | name
    name                            | string(255)
sn_sec_cmn_m2m_src_ci_tag | Discovered Item Tag | | src_ci
    src_ci                          | reference:sn_sec_cmn_src_ci
    host_tag                        | reference:sn_sec_cmn_host_tag
cmdb_ci_cmp_resource | Cloud Resource | cmdb_ci_vm_object | name
"""
# That the states have these numbers is LIKELY (docs/facts/servicenow_tickets.md#security-incidents).
SECURITY_INCIDENT = """
sn_si_incident | Security Incident | task | number
    state                           | integer | 10 | 10=Draft; 16=Analysis; 18=Contain; 19=Eradicate; 20=Recover; \
        100=Review; 3=Closed; 7=Cancelled
    caller                          | reference:sys_user
    category                        | choice
    subcategory                     | choice
    severity                        | integer | 3  | 1=1 - High; 2=2 - Medium; 3=3 - Low
    business_criticality            | integer | 3  | 1=1 - Critical; 2=2 - High; 3=3 - Non-critical
    close_code                      | choice  |    | Threat mitigated; Patched vulnerability; Invalid vulnerability; \
        Not resolved; False positive
"""
VUL = """
sn_vul_integration | Vulnerability Integration | sysauto_script | name
    instance (Integration instance) | reference:sn_sec_int_impl
    start_time                      | glide_date_time
    short_description               | string(200)
    data_source                     | reference:sn_vul_int_data_src
sn_vul_rest_integration | Vulnerability REST Integration | sn_vul_integration | name
    integration_factory_script      | reference:sys_script_include
    processor_factory_script        | reference:sys_script_include
sn_sec_cmn_integration | Security Common Integration | sysauto_script | name
    instance (Integration instance) | reference:sn_sec_int_impl
    integration_factory_script      | reference:sys_script_include
    processor_factory_script        | reference:sys_script_include
sn_vul_int_data_src | Integration Data Source | | name
    name                            | string(100)
sn_vul_integration_run | Vulnerability Integration Run | | number
    number                          | string(40)
    integration                     | reference:sn_vul_integration
    implementation (Integration instance) | reference:sn_sec_int_impl
    source                          | string(100)
    state                           | string(40)
    substate                        | string(40)
    start_datetime (Start)          | glide_date_time
    end_datetime (End)              | glide_date_time
    vi_created                      | integer | 0
    vi_updated                      | integer | 0
    vi_new_findings                 | integer | 0
    det_created                     | integer | 0
    fatal_error_message             | string(4000)
    notes                           | string(4000)
    parameters                      | string(4000)
sn_vul_integration_process | Vulnerability Integration Process | | integration_run
    integration_run                 | reference:sn_vul_integration_run
    state                           | string(40)
    substate                        | string(40)
sn_vul_integration_queue | Vulnerability Integration Queue | | integration_run
    integration_run                 | reference:sn_vul_integration_run
    state                           | string(40)
sn_vul_ds_import_q_entry | Data Source Import Queue Entry | | integration_run
    integration_run                 | reference:sn_vul_integration_run
    state                           | string(40)
    last_record_processed           | glide_date_time
sn_vul_integration_log | Vulnerability Integration Log | | message_value
    integration_run                 | reference:sn_vul_integration_run
    type                            | string(40)
    category                        | string(40)
    message_value (Message)         | string(4000)
    suggested_recommendations       | string(4000)
sn_vul_integration_stats | Vulnerability Integration Statistics | | integration_run
    integration_run                 | reference:sn_vul_integration_run
sn_vul_missing_asset | Unmatched Asset | | name
    name                            | string(255)
sn_vul_licensing_usage_by_ci_classes | Licensing Usage by CI Class | | ci_class
    ci_class                        | string(80)
    count                           | integer
"""
VULC = """
sn_vulc_policy | Test Group | | name
    name                            | string(255)
    policy_id                       | string(255)
    source                          | string(100)
    active                          | boolean | true
sn_vulc_test | Configuration Test | | short_description
    test_id                         | string(255)
    short_description               | string(255)
    description                     | string(4000)
    source                          | string(100)
    criticality                     | choice  |        | Critical; High; Moderate; Low; Minor
    test_groups                     | string(4000)
    citations                       | string(4000)
    active                          | boolean | true
sn_vulc_policy_test | Test Group Test | | policy
    policy (Test group)             | reference:sn_vulc_policy
    test                            | reference:sn_vulc_test
sn_vulc_result | Test Result | | test
    test                            | reference:sn_vulc_test
    src_ci (Discovered item)        | reference:sn_sec_cmn_src_ci
    cmdb_ci (Configuration item)    | reference:cmdb_ci
    integration_instance            | reference:sn_sec_int_impl
    source                          | string(100)
    source_result_id                | string(512)
    result                          | choice  |        | Passed; Failed; Error; Unknown
    state                           | choice  | Open   | Open; Under Investigation; Awaiting Implementation; \
        In Review; Deferred; Resolved; Closed
    risk_rating                     | integer |        | 1=Critical; 2=High; 3=Medium; 4=Low; 5=None
    active                          | boolean | true
    first_found                     | glide_date_time
    last_found                      | glide_date_time
sn_vulc_result_history | Test Result History | | result
    result                          | reference:sn_vulc_result
sn_vulc_auth_src | Authoritative Source | | name
    name                            | string(255)
    source                          | string(100)
sn_vulc_citation | Citation | | name
    name                            | string(255)
    auth_src (Authoritative source) | reference:sn_vulc_auth_src
sn_vulc_technology | Technology | | name
    name                            | string(255)
sn_vulc_test_technology | Test Technology | | test
    test                            | reference:sn_vulc_test
    technology                      | reference:sn_vulc_technology
sn_vulc_result_group | Remediation Task | task | number
    state                           | integer | 1      | 1=Open; 2=Under Investigation; \
        10=Awaiting Implementation; 11=In Review; 12=Deferred; 101=Resolved; 3=Closed
sn_vulc_m2m_result_result_group | Test Result of Remediation Task | | result
    result                          | reference:sn_vulc_result
    result_group                    | reference:sn_vulc_result_group
sn_vulc_m2m_trg_change_request | Change of Remediation Task | | change_request
    result_group                    | reference:sn_vulc_result_group
    change_request                  | reference:change_request
# The forms of the rules are published with the labels of their fields, the names of the columns are not: they are made up.
sn_vulc_assignment_rule | Assignment Rule | sys_metadata | name
    name (Name)                     | string(100)
    active                          | boolean | true
    description                     | string(4000)
    order (Execution order)         | integer | 100
    filter_of (Condition)           | conditions(4000)
    using (Assign using)            | choice  |        | grp=User group; fld=User group field; scr=Script
    owner_group (User group)        | reference:sys_user_group
sn_vulc_grouping_rule | Remediation Task Rule | sys_metadata | name
    name (Name)                     | string(100)
    active                          | boolean | true
    description                     | string(4000)
    case_sensitive                  | boolean | false
    filter_of (Conditions)          | conditions(4000)
    using (Assign test result groups by) | choice |      | key=Group key; grp=User group
    owner_group (User group)        | reference:sys_user_group
sn_vulc_ttr_rule | Remediation Target Rule | sys_metadata | name
    name                            | string(100)
sn_vulc_calculator_group | Calculator Group | sys_metadata | name
    name                            | string(100)
sn_vulc_calculator_risk_score | Risk Score Calculator | sys_metadata | name
    name                            | string(100)
sn_vulc_risk_score_rollup | Risk Score Rollup | sys_metadata | name
    name                            | string(100)
sn_vulc_test_criticality_map | Criticality Map | sys_metadata | name
    name                            | string(100)
sn_vulc_state_change_approval | State Change Approval | | number
    number                          | string(40)
sn_vulc_test_manifest | Test Manifest | | name
    name                            | string(100)
sn_vulc_result_group_manifest | Remediation Task Manifest | | name
    name                            | string(100)
sn_vulc_cc_configuration_item_count | Configuration Item Count | | sys_created_on
    count                           | integer
"""
USEM = """
sn_sec_wf_assign_rule | Assignment Rule | sys_metadata | name
    name (Name)                     | string(100)
    active                          | boolean | true
    description                     | string(4000)
    order (Execution order)         | integer | 100
    filter_of (Condition)           | conditions(4000)
    using (Assign using)            | choice  |        | grp=User group; fld=User group field; scr=Script
    owner_group (User group)        | reference:sys_user_group
    case_sensitive                  | boolean | false
    table                           | table_name(80)
sn_sec_rem_task_rule | Remediation Task Rule | sys_metadata | rule_name
    rule_name (Name)                | string(100)
    active                          | boolean | true
    description                     | string(4000)
    order (Order)                   | integer | 100
    condition (Conditions)          | conditions(4000)
    using (Assign test result groups by) | choice |      | key=Group key; grp=User group
    assignment_group (User group)   | reference:sys_user_group
    case_sensitive                  | boolean | false
    table                           | table_name(80)
sn_sec_wf_ttr_rule | Remediation Target Rule | sys_metadata | name
    name                            | string(100)
sn_sec_calculator_group | Calculator Group | sys_metadata | name
    name                            | string(100)
sn_sec_calculator_rule | Calculator Rule | sys_metadata | name
    name                            | string(100)
sn_sec_calculator_config | Calculator Configuration | sys_metadata | name
    name                            | string(100)
sn_sec_wf_rollup_config | Rollup Configuration | sys_metadata | name
    name                            | string(100)
sn_sec_exception_rule | Exception Rule | sys_metadata | name
    name                            | string(100)
sn_sec_exception_change_approval | Exception Approval | | number
    number                          | string(40)
"""
# The table behind the form "Microsoft Defender for Cloud Configuration". Its name and its column names are UNKNOWN in
# the field (2.4), so both are made up here and differ from the labels: a client can only find them by the labels of the
# form (2.2) in the dictionary. The name is a knob.
PRIVATE = """
{table} | Microsoft Defender for Cloud Configuration | | impl
    arm_root (API URL)              | url
    directory (Tenant ID)           | string(100)
    impl (Integration instance)     | reference:sn_sec_int_impl
    app (Client ID)                 | string(100)
    app_pass (Client secret)        | password2
    import_from (Import Findings from) | choice | all | all=All; mg=Specific Management Groups; \
        sub=Specific Subscriptions
    mg_list (Management Group IDs)  | string(4000)
    sub_list (Subscription IDs)     | string(4000)
    checked (Validation status)     | string(100)
"""
TABLES = {
    "com.snc.security_incident": SECURITY_INCIDENT,
    "sn_sec_int": SEC_INT,
    "sn_sec_cmn": SEC_CMN,
    "sn_vul": VUL,
    "sn_vulc": VULC,
    "app-sec-workflow": USEM,
}
