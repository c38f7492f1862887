# SPDX-License-Identifier: GPL-3.0-or-later
"""`drift` compares all that `onboard` configures: a walk over the options of its roles."""

from __future__ import annotations

from tests.integration.conftest import NewInstance
from tests.integration.defender import Defender
from tests.integration.instances import Instance
from tests.integration.playbooks import COLLECTION, Playbooks, Run
from tests.integration.tenant import learn
from tests.integration.walk import instance_changes, tenant_changes
from tests.integration.walk.fleet import BY_HAND, HARDENED, IN_FORCE, Fleet, Found, found_in, results_of
from tests.integration.walk.instance_changes import FIXED, PREFLIGHT
from tests.integration.walk.options import FIELDS, FLEET, OTHER, REMOVED, RENAMED, ROLE, Change, options
from tests.integration.walk.tenant_changes import INSERTED, MORE, PLAN_OFF
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import MANAGEMENT

OPTIONS = {**instance_changes.OPTIONS, **tenant_changes.OPTIONS}


def is_effect(found: Found) -> bool:
    """Return whether something is drift because of another change: a role, an account or an import that is not what it was."""
    host, name, field = found
    return (
        (host == RENAMED and name.startswith("table_acl "))
        or (host == FIELDS and field in ("password", "client_secret"))
        or (host in (FIELDS, REMOVED) and (name == "Entra application" or field == "last_run"))
    )


def test_every_option_is_in_the_walk() -> None:
    known = set(options())
    assert not known - set(OPTIONS), "options without an entry in tests/integration/walk"
    assert not set(OPTIONS) - known, "entries that are no option any more"


def test_everything_that_is_configured_of_an_instance_is_in_the_walk(playbook: Playbooks, instance: Instance) -> None:
    """Some of it has no option of its own."""
    show = {
        "name": "Show",
        "ansible.builtin.debug": {"msg": "{{ lookup('secops.servicenow_defender.task_options', 'snow_instance') }}"},
    }
    role = {"name": f"{COLLECTION}.snow_connection", "tasks_from": "defaults"}
    tasks = [{"name": "Use defaults", "ansible.builtin.import_role": role}, show]
    configured = set()
    for more in ({}, {"snow_connection_legacy_admin": True, "snow_connection_redirect_urls": ["https://a.example"]}):
        shown = playbook(tasks, instance, variables=more).went_well()["Show"]["msg"]
        configured |= {
            f"{kind}.{name}"
            for kind, entries in shown.items()
            if isinstance(entries, list)
            for entry in entries
            for name in entry
        }
    by_option = {
        "roles.name", "roles.description", "users.user_name", "users.password", "users.roles", "users.exclusive_roles",
        "oauth_applications.name", "oauth_applications.client_secret", "oauth_applications.access_token_lifespan",
        "oauth_applications.refresh_token_lifespan", "oauth_applications.scope_restriction",
        "oauth_applications.redirect_urls", "table_acls.role", "table_acls.tables",
    }  # fmt: skip
    assert configured - by_option == set(FIXED)


def test_drift_names_what_is_changed_and_onboard_repairs_it(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    learned, contract = learn(playbook, sandbox.base_url, MANAGEMENT)
    learned.went_well()
    fleet = Fleet(playbook, sandbox, new_instance, contract)
    for end, learnable in BY_HAND.items():
        name = f"{INSERTED['name'][:-2]}{end}"
        sandbox.tamper_tenant("rules", {**INSERTED, "name": name, **learnable}, insert=True)
    for each in fleet.instances.values():
        each.add("sys_user_role", name=ROLE)
    fleet.let_read(*FLEET)
    fleet("onboard").went_well()
    fleet.run_jobs()
    clean = fleet("drift").went_well()
    assert "unproven" not in clean.summary

    changes = [each for each in (*OPTIONS.values(), *FIXED.values(), *MORE) if isinstance(each, Change)]
    for change in changes:
        fleet.make(change)
    run = fleet("drift")
    assert run.status == 2
    wanted = {(each.host, each.object, each.field) for each in changes}
    found = found_in(run)
    assert not wanted - found, run.output
    assert not {each for each in found - wanted if not is_effect(each)}
    steps = {step["id"] for _host, result in results_of(run) for step in result.get("manual_steps") or []}
    assert not [each for each in steps if each.startswith("connector:")], "what a contract can do is no manual step"

    fleet("onboard").went_well()
    fleet.let_read(FIELDS, RENAMED)
    fleet.run_jobs()
    fleet.instances[FIELDS].turn(properties={**IN_FORCE, **HARDENED})
    fleet.make(PLAN_OFF)
    fleet.instances[OTHER].turn(plugins={"com.snc.system_security": False}, acl={"deny_table": {"sys_choice": "403"}})
    run = fleet("drift")
    assert run.recap[OTHER]["failed"] == 1
    problems = run.on(OTHER, "Compare account, application, role and settings")["problems"]
    assert set(PREFLIGHT.values()) <= {problem["id"] for problem in problems}
    left = {each for each in found_in(run) if not each[2].startswith(("extension ", "properties of extension "))}
    assert left == {(PLAN_OFF.host, PLAN_OFF.object, PLAN_OFF.field)}, "all else is repaired"


def steps_of(run: Run) -> dict[tuple[str, str], tuple[dict[str, str], list[str]]]:
    """Return the values and the labels of secrets of each manual step, by host and id."""
    return {
        (host, step["id"]): (step["values"], step["secret_values"])
        for host, result in results_of(run)
        for step in result.get("manual_steps") or []
    }


def test_a_manual_step_has_the_same_values_in_drift_as_in_onboard(
    playbook: Playbooks, sandbox: SandboxProcess, new_instance: NewInstance
) -> None:
    unreadable = {"own_role_only": True, "record": "blank"}
    fleet = Fleet(playbook, sandbox, new_instance, "", compliance=unreadable)
    fleet.variables |= {"mda_protection_contract": "", "drift_include_hardening": False}
    tickets = {"display_name": "Walk tickets", "priority": 550, "rule_type": "ServiceNow", "severities": ["Critical"]}
    rule = {**tickets, "owner": {"email": "a@example.com"}, "integration": "Walk fields", "ticket_type": "problem"}
    fleet.own[FIELDS]["mdc_itsm_rules"] = [rule]
    for name, state in {"Walk removed": "error", RENAMED: "connected", OTHER: "connected"}.items():
        fleet.tenant.connector(name, f"https://{name.replace(' ', '-')}.service-now.com", state=state)
    onboard = steps_of(fleet("onboard").went_well())
    kinds = {step.partition(":")[0] for _host, step in onboard}
    assert kinds == {"table_acls", "connector", "policy", "governance_rule", "configuration_compliance"}, onboard
    assert {step.split(":")[1] for _host, step in onboard if step.startswith("connector:")} == {
        "create", "update", "disable", "delete",
    }  # fmt: skip
    assert steps_of(fleet("drift")) == onboard


def test_an_option_that_no_rule_has_is_refused(
    playbook: Playbooks, sandbox: SandboxProcess, instance: Instance
) -> None:
    tenant = Defender(playbook, sandbox, instance)
    rule = {"display_name": "High", "priority": 10, "severites": ["High"], "owner": {"by_tag": "owner"}}
    run = tenant("drift", variables={"mdc_itsm_rules": [rule]})
    assert run.status == 2
    assert "Unsupported parameters" in run.summary
    assert "severites" in run.summary
