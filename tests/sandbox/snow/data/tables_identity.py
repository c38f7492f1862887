# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, groups and roles.

See docs/facts/servicenow_platform.md#sign-in-gates, docs/facts/servicenow_platform.md#users,
docs/facts/servicenow_platform.md#role-grants.
"""

TABLES = """
core_company | Company | | name
    name                            | string(80)
cmn_department | Department | | name
    name                            | string(100)
    company                         | reference:core_company
cmn_location | Location | | name
    name                            | string(100)
    time_zone                       | string(40)

sys_user | User | | name
    sys_class_name (Class)          | sys_class_name
    user_name (User ID)             | string(40)
    name                            | string(151)
    first_name                      | string(50)
    last_name                       | string(50)
    email                           | string(100)
    user_password (Password)        | password
    password_needs_reset            | boolean | false
    locked_out                      | boolean | false
    active                          | boolean | true
    failed_attempts (Failed login attempts) | integer
    last_login                      | glide_date
    last_login_time                 | glide_date_time
    last_password                   | string(40)
    web_service_access_only         | boolean | false
    internal_integration_user       | boolean | false
    identity_type                   | choice  | human  | human=Human; machine=Machine; ai=AI | zurich
    enable_multifactor_authn        | boolean | false
    time_zone                       | string(40)
    date_format                     | string(40)
    preferred_language              | string(3)
    source                          | string(255)
    ldap_server                     | string(40)
    title                           | string(60)
    phone                           | string(40)
    notification                    | integer | 2
    vip                             | boolean | false
    manager                         | reference:sys_user
    company                         | reference:core_company
    department                      | reference:cmn_department
    location                        | reference:cmn_location
    sys_domain (Domain)             | reference:domain | global
sys_user_preference | User Preference | | name
    user                            | reference:sys_user
    name                            | string(255)
    value                           | string(65000)
    type                            | string(40)
    description                     | string(1000)
    system                          | boolean | false
domain | Domain | | name
    name                            | string(100)

sys_user_group | Group | | name
    name                            | string(80)
    description                     | string(1000)
    active                          | boolean | true
    manager                         | reference:sys_user
    parent                          | reference:sys_user_group
    email                           | string(100)
    type                            | glide_list
sys_user_grmember | Group Member | | group
    user                            | reference:sys_user
    group                           | reference:sys_user_group

sys_user_role | Role | sys_metadata | name
    name                            | string(100)
    suffix                          | string(100)
    description                     | string(1000)
    elevated_privilege              | boolean | false
    requires_subscription           | string(40)
    can_delegate                    | boolean | true
    grantable                       | boolean | true
sys_user_role_contains | Contained Role | sys_metadata | contains
    role                            | reference:sys_user_role
    contains                        | reference:sys_user_role
sys_user_has_role | User Role | | role
    user                            | reference:sys_user
    role                            | reference:sys_user_role
    inherited                       | boolean | false
    inh_count (Inheritance count)   | integer
    inh_map (Inheritance map)       | string(4000)
    state                           | choice  | active | active=Active; requested=Requested
    granted_by                      | reference:sys_user_group
    included_in_role                | reference:sys_user_role
    included_in_role_instance       | reference:sys_user_has_role
sys_group_has_role | Group Role | | role
    group                           | reference:sys_user_group
    role                            | reference:sys_user_role
    inherits                        | boolean | true
    granted_by                      | reference:sys_user_group
sys_user_basic_auth_exception | Basic Auth Exception | | user
    user                            | reference:sys_user
    decision                        | choice  | track  | track=Track; allow=Allow; deny=Deny
"""
