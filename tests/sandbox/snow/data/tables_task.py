# SPDX-License-Identifier: GPL-3.0-or-later
"""Task tables: incident, problem, change request.

See docs/facts/servicenow_tickets.md#incidents, docs/facts/servicenow_tickets.md#problems,
docs/facts/servicenow_tickets.md#change-requests, docs/facts/servicenow_tickets.md#task-columns.
"""

TABLES = """
cmdb_ci | Configuration Item | | name
    sys_class_name (Class)          | sys_class_name
    name                            | string(255)
    correlation_id                  | string(255)
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
    contact_type (Channel)          | choice  |    | email=Email; phone=Phone; self-service=Self-service; \
        virtual_agent=Virtual Agent
    severity                        | integer | 3  | 1=1 - High; 2=2 - Medium; 3=3 - Low
    notify                          | integer | 1  | 1=Do Not Notify; 2=Send Email; 3=Phone
    close_code (Resolution code)    | choice  |    | Duplicate; Known error; Resolved by caller; \
        Resolved by change; Resolved by problem; Solution provided; Workaround provided; User error
    resolved_at (Resolved)          | glide_date_time
    resolved_by                     | reference:sys_user
    problem_id (Problem)            | reference:problem
    rfc (Change Request)            | reference:change_request
    reopen_count                    | integer | 0
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
    std_change_producer_version (Standard change template) | reference:std_change_record_producer
    start_date (Planned start date) | glide_date_time
    end_date (Planned end date)     | glide_date_time
    implementation_plan             | string(4000)
    backout_plan                    | string(4000)
    test_plan                       | string(4000)
    justification                   | string(4000)
std_change_record_producer | Standard Change Template | | name
    name                            | string(100)
    short_description               | string(160)
    active                          | boolean | true
    template                        | reference:sys_template
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
