# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the platform: metadata, properties, plugins, access rules, logs.

See docs/facts/servicenow_platform.md#related-oauth-tables, docs/facts/servicenow_platform.md#role-grants,
docs/facts/servicenow_platform.md#package-tables, docs/facts/servicenow_platform.md#property-rows,
docs/facts/servicenow_platform.md#cicd-update-set-api.
"""

TABLES = """
sys_metadata | Application File | | sys_name
    sys_class_name (Class)          | sys_class_name
    sys_name (Display name)         | string(255)
    sys_package (Package)           | reference:sys_package | global
    sys_policy (Protection policy)  | string
    sys_scope (Application)         | reference:sys_scope   | global
    sys_update_name (Update name)   | string(250)

sys_properties | System Property | sys_metadata | name
    name                            | string(100)
    value                           | string(4000)
    type                            | string(40) | string
    description                     | string(4000)
    choices                         | string(4000)
    suffix                          | string(100)
    is_private                      | boolean | false
    ignore_cache                    | boolean | false
    read_roles                      | string(4000)
    write_roles                     | string(4000)

sys_package | Package | | name
    sys_class_name (Class)          | sys_class_name
    name                            | string(100)
    source (ID)                     | string(100)
    version                         | string(40)
    active                          | boolean | true
sys_scope | Application | sys_package | name
    scope                           | string(100)
    short_description               | string(200)
    vendor                          | string(100)
sys_plugins | System Plugin | sys_scope | name
    state                           | choice  |        | installed=Installed; uninstalled=Not installed
sys_app | Custom Application | sys_scope | name
sys_store_app | Store Application | sys_scope | name
    latest_version                  | string(40)
    update_available                | boolean | false
    install_date                    | glide_date_time
sys_app_version | Application Version | | title
    title                           | string(100)
    number                          | string(40)
    source_app_id                   | string(40)
v_plugin | Plugin | | name
    id (ID)                         | string(100)
    name                            | string(100)
    version                         | string(40)
    active                          | choice  |        | active=Active; inactive=Inactive
    description                     | string(1000)
    scope                           | string(100)
sys_execution_tracker | Execution Tracker | | name
    name                            | string(200)
    state                           | choice  | 0      | 0=Pending; 1=Running; 2=Successful; 3=Failed; 4=Cancelled
    percent_complete                | integer | 0
    message                         | string(4000)
    source                          | string(100)

sys_update_set | Update Set | | name
    name                            | string(80)
    state                           | choice  | in progress | in progress=In progress; complete=Complete; ignore=Ignore
    description                     | string(4000)
    remote_sys_id (Remote sys_id)   | string(32)
sys_update_set_source | Remote Instance | | name
    name                            | string(100)
    url (URL)                       | string(1000)
    type                            | choice  |        | dev=Development; test=Test; uat=UAT
    username                        | string(100)
    password                        | password2
    active                          | boolean | true
    instance_id (Instance ID)       | string(32)
sys_remote_update_set | Retrieved Update Set | | name
    name                            | string(80)
    state                           | choice  | loaded | loaded=Loaded; previewing=Previewing; previewed=Previewed; \
        committing=Committing; committed=Committed
    description                     | string(4000)
    remote_sys_id (Remote sys_id)   | string(32)
    update_source (Update source)   | reference:sys_update_set_source
    update_set (Update set)         | reference:sys_update_set
    commit_date (Committed)         | glide_date_time
sys_update_xml | Customer Update | | name
    name                            | string(250)
    action                          | choice  | INSERT_OR_UPDATE | INSERT_OR_UPDATE=INSERT_OR_UPDATE; DELETE=DELETE
    type                            | string(100)
    target_name (Target name)       | string(250)
    payload                         | string(65000)
    payload_hash (Payload hash)     | string(40)
    category                        | string(40)
    update_set (Update set)         | reference:sys_update_set
    remote_update_set (Remote update set) | reference:sys_remote_update_set
sys_update_preview_problem | Update Set Preview Problem | | description
    remote_update_set (Remote update set) | reference:sys_remote_update_set
    remote_update (Remote update)   | reference:sys_update_xml
    type                            | choice  | error  | error=Error; warning=Warning
    status                          | choice  |        | ignored=Ignored; skipped=Skipped
    description                     | string(4000)

sys_dictionary | Dictionary Entry | sys_metadata | element
    name (Table)                    | string(80)
    element (Column name)           | string(80)
    column_label                    | string(80)
    internal_type (Type)            | string(40)
    reference                       | string(80)
    max_length                      | integer
    default_value                   | string(512)
    choice                          | integer | 0
    mandatory                       | boolean | false
    read_only                       | boolean | false
    active                          | boolean | true
sys_db_object | Table | sys_metadata | label
    name                            | string(80)
    label                           | string(80)
    super_class (Extends table)     | reference:sys_db_object
sys_choice | Choice | | label
    name (Table)                    | string(80)
    element                         | string(80)
    value                           | string(40)
    label                           | string(100)
    language                        | string(40) | en
    sequence                        | integer
    inactive                        | boolean | false

sys_security_acl | Access Control | sys_metadata | name
    name                            | string(100)
    type                            | choice  | record | record=record; REST_Endpoint=REST_Endpoint; \
        processor=processor; ui_page=ui_page
    operation                       | choice  | read   | read=read; write=write; create=create; delete=delete; \
        execute=execute
    active                          | boolean | true
    admin_overrides                 | boolean | true
    decision_type                   | choice  | allow  | allow=Allow If; deny=Deny Unless
    advanced                        | boolean | false
    condition                       | conditions
    description                     | string(4000)
    script                          | script
sys_security_acl_role | Access Control Role | sys_metadata | sys_user_role
    sys_security_acl (Access control) | reference:sys_security_acl
    sys_user_role (Role)            | reference:sys_user_role
sys_data_policy2 | Data Policy | sys_metadata | short_description
    short_description               | string(100)
    model_table (Table)             | string(80)
    conditions                      | conditions
    active                          | boolean | true
    enforce_import                  | boolean | true
sys_data_policy_rule | Data Policy Rule | sys_metadata | field
    sys_data_policy                 | reference:sys_data_policy2
    table                           | string(80)
    field                           | string(80)
    mandatory                       | choice  | ignore | ignore=Leave alone; true=True; false=False

sysevent_script_action | Script Action | sys_metadata | name
    name                            | string(40)
    event_name                      | string(40)
    active                          | boolean | true
    order                           | integer | 100
    script                          | script
sys_script_include | Script Include | sys_metadata | name
    name                            | string(100)
    api_name                        | string(200)
    active                          | boolean | true
    client_callable                 | boolean | false
    access                          | choice  | package_private | public=All application scopes; \
        package_private=This application scope only
    script                          | script
sys_public | Public Page | sys_metadata | page
    page                            | string(200)
    active                          | boolean | true
ip_access | IP Access Control | | description
    type                            | choice  | deny   | allow=Allow; deny=Deny
    range_start                     | string(40)
    range_end                       | string(40)
    description                     | string(100)
    active                          | boolean | true
sys_certificate | X.509 Certificate | sys_metadata | name
    name                            | string(100)
    type                            | choice  | trust_store | trust_store=Trust Store Cert; key_store=Java Key Store
    format                          | choice  | pem    | pem=PEM; der=DER
    pem_certificate                 | string(65000)
    active                          | boolean | true
sys_rate_limit_rules | Rate Limit Rule | sys_metadata | name
    name                            | string(100)
    requests_per_hour               | integer
    active                          | boolean | true
multi_factor_criteria | Multi-factor Criteria | sys_metadata | name
    name                            | string(100)
    active                          | boolean | false
password_policy | Password Policy | sys_metadata | name
    name                            | string(100)
    active                          | boolean | true
    minimum_password_length         | integer | 8
    maximum_password_length         | integer | 100

sysauto | Scheduled Job | sys_metadata | name
    name                            | string(100)
    active                          | boolean | true
    run_as                          | reference:sys_user
    run_type (Run)                  | choice  | daily  | daily=Daily; weekly=Weekly; monthly=Monthly; \
        periodically=Periodically; once=Once; on_demand=On Demand
    run_dayofweek (Day)             | integer
    run_time (Time)                 | glide_date_time
    run_period (Repeat interval)    | glide_date_time
    run_start (Starting)            | glide_date_time
sysauto_script | Scheduled Script Execution | sysauto | name
    script                          | script

sysevent | Event | | name
    name                            | string(100)
    parm1                           | string(200)
    parm2                           | string(200)
    instance                        | string(32)
    table                           | string(80)
    state                           | choice  | ready  | ready=Ready; processed=Processed; error=Error
    user_name                       | string(40)
syslog_transaction | Transaction Log | | url
    url                             | string(1000)
    type                            | string(40)
    remote_ip                       | string(100)
    response_time                   | integer
    status                          | string(40)
syslog | Log Entry | | message
    level                           | choice  | 0      | 0=Information; 1=Warning; 2=Error
    message                         | string(4000)
    source                          | string(40)
sys_attachment | Attachment | | file_name
    file_name                       | string(100)
    content_type                    | string(100)
    table_name                      | string(80)
    table_sys_id                    | string(32)
    size_bytes                      | integer
    size_compressed                 | integer
    compressed                      | boolean | true
    hash (Hash)                     | string(64)
    average_image_color             | string(20)
    image_width                     | integer
    image_height                    | integer
    chunk_size_bytes                | integer
    encryption_context              | string(32)
    state                           | choice  | available | available=Available; pending=Pending
sys_attachment_doc | Attachment Document | | sys_attachment
    sys_attachment                  | reference:sys_attachment
    position                        | integer
    length                          | integer
    data                            | string(4000)
sys_tiny_url | Tiny URL | | tiny_url
    tiny_url                        | string(100)
    url                             | string(64000)
sys_import_set | Import Set | | number
    number                          | string(40)
    table_name                      | string(80)
    state                           | choice  | loaded | loaded=Loaded; processed=Processed
imp_user | Imported User | | user_name
    user_name                       | string(40)
    first_name                      | string(40)
    last_name                       | string(40)
    email                           | string(100)
    sys_import_set (Set)            | reference:sys_import_set
    sys_import_state (State)        | string(40)
"""
