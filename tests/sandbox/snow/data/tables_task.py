# SPDX-License-Identifier: GPL-3.0-or-later
"""Task tables: incident, problem, change request, requested item; configuration items.

See docs/facts/servicenow_tickets.md#incidents, docs/facts/servicenow_tickets.md#problems,
docs/facts/servicenow_tickets.md#change-requests, docs/facts/servicenow_tickets.md#task-columns,
docs/facts/servicenow_tickets.md#requested-items, docs/facts/servicenow_tickets.md#configuration-items.
"""

TABLES = """
cmdb_ci | Configuration Item | | name
    sys_class_name (Class)          | sys_class_name
    name                            | string(255)
    correlation_id                  | string(255)
cmdb_ci_vm_object | Virtual Machine Object | cmdb_ci | name
    object_id (Object ID)           | string(512)
cmdb_ci_vm_instance | Virtual Machine Instance | cmdb_ci_vm_object | name
    vm_inst_id (VM Instance ID)     | string(255)
cmdb_ci_service | Service | cmdb_ci | name
    busines_criticality (Business criticality) | choice | | 1 - most critical; 2 - somewhat critical; 3 - less critical
service_offering | Offering | cmdb_ci_service | name
    parent                          | reference:cmdb_ci_service
ast_contract | Contract | | number
    number                          | string(40)
sc_cat_item_delivery_plan | Execution Plan | | name
    name                            | string(100)
sc_cat_item_delivery_task | Execution Plan Task | | name
    name                            | string(100)
task | Task | | number
    sys_class_name (Task type)      | sys_class_name
    number                          | string(40)
    short_description               | string(160)
    description                     | string(4000)
    active                          | boolean | true
    state                           | integer | 1  | -5=Pending; 1=Open; 2=Work in Progress; 3=Closed Complete; \
        4=Closed Incomplete; 7=Closed Skipped
    priority                        | integer | 4  | 1=1 - Critical; 2=2 - High; 3=3 - Moderate; 4=4 - Low; \
        5=5 - Planning
    impact                          | integer | 3  | 1=1 - High; 2=2 - Medium; 3=3 - Low
    urgency                         | integer | 3  | 1=1 - High; 2=2 - Medium; 3=3 - Low
    assigned_to                     | reference:sys_user
    assignment_group                | reference:sys_user_group
    opened_at (Opened)              | glide_date_time
    opened_by                       | reference:sys_user
    closed_at (Closed)              | glide_date_time
    closed_by                       | reference:sys_user
    close_notes (Resolution notes)  | string(4000)
    work_notes                      | journal_input
    comments (Additional comments)  | journal_input
    cmdb_ci (Configuration item)    | reference:cmdb_ci
    company                         | reference:core_company
    location                        | reference:cmn_location
    parent                          | reference:task
    due_date                        | glide_date_time
    correlation_id (Correlation ID) | string(100)
    correlation_display             | string(100)
    approval                        | choice  | not requested | not requested=Not Yet Requested; \
        requested=Requested; approved=Approved; rejected=Rejected
    upon_approval                   | choice  | proceed | proceed=Proceed to Next Task; \
        do_nothing=Wait for a User to Close this task
    upon_reject                     | choice  | cancel | cancel=Cancel all future Tasks; goto=Go to a previous Task
    escalation                      | integer | 0  | 0=Normal; 1=Moderate; 2=High; 3=Overdue
    contact_type                    | choice  |    | email=Email; phone=Phone; self-service=Self-service; \
        virtual_agent=Virtual Agent
    business_service                | reference:cmdb_ci_service
    service_offering                | reference:service_offering
    contract                        | reference:ast_contract
    delivery_plan                   | reference:sc_cat_item_delivery_plan
    delivery_task                   | reference:sc_cat_item_delivery_task
    universal_request               | reference:task
    task_effective_number           | string(40)
    order                           | integer
    route_reason                    | integer
    user_input                      | user_input
    time_worked                     | timer
    activity_due                    | due_date
    sla_due (SLA due)               | due_date
    follow_up                       | glide_date_time
    expected_start                  | glide_date_time
    work_start (Actual start)       | glide_date_time
    work_end (Actual end)           | glide_date_time
    business_duration               | glide_duration
    calendar_duration               | glide_duration
    approval_history                | journal
    approval_set                    | glide_date_time
    comments_and_work_notes         | journal_list
    work_notes_list                 | glide_list:sys_user
    additional_assignee_list        | glide_list:sys_user
    group_list                      | glide_list:sys_user_group
    sys_domain_path (Domain Path)   | string(255) | /
    made_sla (Made SLA)             | boolean | true
    knowledge                       | boolean | false
    reassignment_count              | integer | 0
    watch_list                      | glide_list:sys_user
    sys_domain (Domain)             | reference:domain | global
incident | Incident | task | number
    state                           | integer | 1  | 1=New; 2=In Progress; 3=On Hold; 6=Resolved; 7=Closed; 8=Canceled
    incident_state                  | integer | 1  | 1=New; 2=In Progress; 3=On Hold; 6=Resolved; 7=Closed; 8=Canceled
    hold_reason (On hold reason)    | integer |    | 1=Awaiting Caller; 3=Awaiting Problem; 4=Awaiting Vendor; \
        5=Awaiting Change
    caller_id (Caller)              | reference:sys_user
    category                        | choice  | inquiry | inquiry=Inquiry / Help; software=Software; \
        hardware=Hardware; network=Network; database=Database
    subcategory                     | choice
    severity                        | integer | 3  | 1=1 - High; 2=2 - Medium; 3=3 - Low
    notify                          | integer | 1  | 1=Do Not Notify; 2=Send Email; 3=Phone
    close_code (Resolution code)    | choice  |    | Duplicate; Known error; Resolved by caller; \
        Resolved by change; Resolved by problem; Solution provided; Workaround provided; User error
    resolved_at (Resolved)          | glide_date_time
    resolved_by                     | reference:sys_user
    problem_id (Problem)            | reference:problem
    rfc (Change Request)            | reference:change_request
    reopen_count                    | integer | 0
    reopened_time                   | glide_date_time
    reopened_by (Last reopened by)  | reference:sys_user
    parent_incident                 | reference:incident
    child_incidents                 | integer
    caused_by (Caused by Change)    | reference:change_request
    cause (Probable cause)          | string(4000)
    business_impact                 | string(4000)
    business_stc (Business resolve time) | integer
    calendar_stc (Resolve time)     | integer
    origin_table                    | string(80)
    origin_id                       | string(32)
problem | Problem | task | number
    state                           | integer | 101 | 101=New; 102=Assess; 103=Root Cause Analysis; \
        104=Fix in Progress; 106=Resolved; 107=Closed
    priority                        | integer | 5  | 1=1 - Critical; 2=2 - High; 3=3 - Moderate; 4=4 - Low; \
        5=5 - Planning
    problem_state                   | integer | 101
    resolution_code                 | choice  |    | fix_applied=Fix Applied; risk_accepted=Risk Accepted; \
        duplicate=Duplicate; canceled=Canceled
    cause_notes                     | string(4000)
    fix_notes                       | string(4000)
    duplicate_of                    | reference:problem
    known_error                     | boolean | false
    category                        | choice  |    | software=Software; hardware=Hardware; network=Network; \
        database=Database
    subcategory                     | choice
    first_reported_by_task          | reference:task
    related_incidents               | integer
    workaround                      | string(4000)
    workaround_applied              | boolean | false
    major_problem                   | boolean | false
    confirmed_at                    | glide_date_time
    confirmed_by                    | reference:sys_user
    fix_at                          | glide_date_time
    fix_by                          | reference:sys_user
    resolved_at                     | glide_date_time
    resolved_by                     | reference:sys_user
    reopened_at                     | glide_date_time
    reopened_by                     | reference:sys_user
    reopen_count                    | integer | 0
    rfc (Change request)            | reference:change_request
problem_task | Problem Task | task | number
    problem                         | reference:problem
    problem_task_type               | choice  | general | general=General; rca=Root Cause Analysis
    state                           | integer | 151 | 151=New; 152=Assess; 154=Work in Progress; 157=Closed
    close_code                      | choice  |    | completed=Completed; canceled=Canceled
    cause_notes                     | string(4000)
    started_at                      | glide_date_time
change_request | Change Request | task | number
    state                           | integer | -5 | -5=New; -4=Assess; -3=Authorize; -2=Scheduled; -1=Implement; \
        0=Review; 3=Closed; 4=Canceled
    type                            | choice  | normal | normal=Normal; standard=Standard; emergency=Emergency
    category                        | choice  | Other | Hardware; Software; Service; Network; Other
    risk                            | integer | 3  | 2=High; 3=Moderate; 4=Low
    scope                           | integer | 3  | 1=Massive; 2=Large; 3=Medium; 4=Small; 5=Tiny
    close_code                      | choice  |    | successful=Successful; \
        successful_issues=Successful with issues; unsuccessful=Unsuccessful
    requested_by                    | reference:sys_user
    std_change_producer_version (Standard change template) | reference:std_change_producer_version
    start_date (Planned start date) | glide_date_time
    end_date (Planned end date)     | glide_date_time
    implementation_plan             | string(4000)
    backout_plan                    | string(4000)
    test_plan                       | string(4000)
    justification                   | string(4000)
    change_plan                     | string(4000)
    risk_impact_analysis            | string(4000)
    reason                          | string(40)
    chg_model (Model)               | string(32)
    phase                           | choice  | requested
    phase_state                     | choice  | open
    production_system               | boolean | false
    outside_maintenance_schedule    | boolean | false
    unauthorized                    | boolean | false
    on_hold                         | boolean | false
    on_hold_reason                  | string(4000)
    cab_required (CAB required)     | boolean | false
    cab_date (CAB date)             | glide_date
    cab_delegate (CAB delegate)     | reference:sys_user
    cab_recommendation (CAB recommendation) | string(4000)
    conflict_status                 | choice  | Not Run
    conflict_last_run               | glide_date_time
    requested_by_date               | glide_date_time
    review_status                   | integer
    review_date                     | glide_date
    review_comments                 | string(4000)
change_task | Change Task | task | number
    change_request                  | reference:change_request
    change_task_type (Type)         | choice  | implementation | planning=Planning; implementation=Implementation; \
        testing=Testing; review=Review
    state                           | integer | 1 | -5=Pending; 1=Open; 2=In Progress; 3=Closed; 4=Canceled
    close_code                      | choice  |    | successful=Successful; \
        successful_issues=Successful with issues; unsuccessful=Unsuccessful
    planned_start_date              | glide_date_time
    planned_end_date                | glide_date_time
    on_hold                         | boolean | false
    on_hold_reason                  | string(4000)
    created_from                    | choice  | manual | manual=Manual; workflow=Workflow
sc_request | Request | task | number
    request_state                   | choice  | requested
    requested_for                   | reference:sys_user
sc_req_item | Requested Item | task | number
    request                         | reference:sc_request
    requested_for                   | reference:sys_user
    stage                           | string(40)
    quantity                        | integer | 1
std_change_record_producer | Standard Change Template | | name
    name                            | string(100)
    short_description               | string(160)
    active                          | boolean | true
    template                        | reference:sys_template
std_change_producer_version | Standard Change Template Version | | name
    name                            | string(150)
    version                         | integer | 1
    std_change_producer             | reference:std_change_record_producer
    published                       | glide_date_time
sys_template | Template | sys_metadata | name
    name                            | string(100)
    table                           | string(80)
    template (Values)               | string(4000)
    active                          | boolean | true
sys_journal_field | Journal Entry | | element
    name                            | string(80)
    element                         | string(80)
    element_id                      | string(32)
    value                           | string(4000)
"""
