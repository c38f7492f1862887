# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults are for what is created: an option that is not set is not managed on an existing object.

So no option that is a field of an object has a default in an argument spec, which Ansible would fill in for existing objects
too. Options with a default are listed here with the reason.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.secops.servicenow_defender.plugins import modules
from ansible_collections.secops.servicenow_defender.plugins.module_utils.instance_drift import PARTS
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.settings import TRANSPORT_OPTIONS

EXISTENCE = "whether the object exists, or the state that the task is for"
POLICY = "when a write-only value is written"
SWITCH = "what the task may do, or refuses to do"
WAITING = "how long the task waits"
IDENTITY = "which object the task is about"
CONNECTION = "how the task signs in"
# Option, or module and option -> why it is no field of an object.
REASONS = {
    "state": EXISTENCE,
    "plugins.state": EXISTENCE,
    "update_secret": POLICY,
    "update_password": POLICY,
    "update_credentials": POLICY,
    "wait": WAITING,
    "wait_timeout": WAITING,
    "poll_interval": WAITING,
    "jobs_wait": WAITING,
    "exclusive_roles": SWITCH,
    "oauth_applications.read_token_end": "what is returned",
    "purge": SWITCH,
    "create_missing": SWITCH,
    "create": SWITCH,
    "reopen": SWITCH,
    "tickets.begin": SWITCH,
    "skip_invalid": SWITCH,
    "execute": SWITCH,
    "override": "whether the run of a rule overrides assignments; the rule does not store it",
    "install": SWITCH,
    "max_import_age_hours": "what is reported; 0 is no limit",
    "validate_credentials": SWITCH,
    "confirm_assignment_loss": SWITCH,
    "accept_conflicts": SWITCH,
    "accept_costs": SWITCH,
    "allow_irreversible": SWITCH,
    "allow_plugins": SWITCH,
    "accept_side_effects": SWITCH,
    "create_for_score": SWITCH,
    "protected": SWITCH,
    "max_users": SWITCH,
    "max_writes": SWITCH,
    "azure_auth_source": CONNECTION,
    "azure_cloud": CONNECTION,
    "entra_application secret_name": IDENTITY,
    "entra_application secret_lifetime_days": "the lifetime of new secrets only",
    "entra_application renew_before_days": "when a secret gets a successor",
    "mda_connectors connectors.mode": "which credentials the entry has; a connector does not show it, and it is never compared",
    "mda_connectors connectors.credentials_entered": SWITCH,
    "mda_connectors connectors.secure_score": "unmanaged by default",
    "mda_connectors events_since_days": "how much the task reads",
    "msem_connectors connectors.mode": "which credentials the entry has; the portal alone shows it",
    "msem_connectors connectors.credentials_entered": SWITCH,
    "msem_connectors connectors.state": EXISTENCE,
    "msem_connectors connectors.connected": "what is known without a record; no connector shows it",
    "msem_connectors complete": "whether there are connectors that the task is not about",
    "graph_session_control display_name": IDENTITY,
    "graph_session_control named_locations": "which locations the task makes sure of; a policy names its own",
    "graph_session_control instances": "which instances are compared",
    "mdc_assignments default_due_days": "the due date of new assignments only",
    "mdc_exemptions standard": "the standard that new exemptions name",
    "mdc_plan name": IDENTITY,
    "mdc_plan extensions.enabled": "to list an extension is to enable it, as state: present",
    "snow_configuration_compliance application_managed": "who manages the application in Entra, which is not an object of the instance",
    "snow_configuration_compliance jobs": "which jobs the task is about",
    "snow_hardening ids": IDENTITY,
    "snow_hardening exclude": IDENTITY,
    "snow_hardening exceptions": SWITCH,
    "snow_hardening overrides": "deviations from the baseline, which is what the task is for",
    "snow_hardening services.grant_type": "how the service signs in, which no row shows",
    "snow_hardening services": "which connections a setting must not break",
    "table_acls.operation": IDENTITY,
    "snow_table_acls operation": IDENTITY,
    "snow_tickets tickets.type": IDENTITY,
    "snow_tickets correlation_display": "the mark of new tickets; it is not compared",
}
# Modules that only read.
READERS = ("_info", "snow_oauth_check")


def defaults(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the options that have a default, those of entries included."""
    for name, option in options.items():
        if option.get("default") is not None:
            yield f"{prefix}{name}", option["default"]
        yield from defaults(option.get("options") or {}, f"{prefix}{name}.")


# Documentation of what only an action does.
ACTIONS = ("adopted_variables",)


def specs() -> dict[str, dict[str, Any]]:
    """Return the options of every module that writes, and of the parts that a comparison has."""
    found = {f"snow_drift_info {name}": spec.options for name, spec in PARTS.items() if name != "preflight"}
    for module in pkgutil.iter_modules(modules.__path__):
        if not module.name.endswith(READERS) and module.name not in ACTIONS:
            spec = importlib.import_module(f"{modules.__name__}.{module.name}").SPEC
            found[module.name] = {k: v for k, v in spec.argument_spec.items() if k not in TRANSPORT_OPTIONS}
    return found


def reason(module: str, option: str) -> str:
    names = (f"{module} {option}", option, option.rpartition(".")[2])
    # The parts of a comparison have the options of modules.
    part = {"snow_drift_info hardening": "snow_hardening"}.get(module, module)
    return next((REASONS[name] for name in (f"{part} {option}", *names) if name in REASONS), "")


@pytest.mark.parametrize("module", sorted(specs()))
def test_no_field_of_an_object_has_a_default(module: str) -> None:
    without = {option: default for option, default in defaults(specs()[module]) if not reason(module, option)}
    assert not without, f"{module}: managed on existing objects although not set"


def test_every_reason_is_about_an_option_with_a_default() -> None:
    used = {
        name
        for module, options in specs().items()
        for option, _default in defaults(options)
        for name in (f"{module} {option}", option, option.rpartition(".")[2])
    }
    assert set(REASONS) <= used


def test_the_modules_are_found() -> None:
    assert {"snow_user", "mdc_plan", "snow_drift_info instance"} <= set(specs())
