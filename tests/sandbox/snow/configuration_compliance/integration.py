# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the Defender for Cloud integration: instances, parameters, jobs, configuration.

See docs/facts/configuration_compliance.md#configuration-form, docs/facts/configuration_compliance.md#jobs,
docs/facts/configuration_compliance.md#framework-tables.
"""

from __future__ import annotations

from .. import packages
from ..base_rows import read_cells
from ..data.compliance import ASC, INTEGRATIONS, JOBS, OTHER_INSTANCE, OTHER_JOB, PARAMETERS, RUN_AS, TVM
from ..instance import Instance
from ..store import Row, stable_id

JOB_TABLE = "sn_vul_rest_integration"


def add_rows(instance: Instance) -> None:
    """Add the missing rows of each installed integration application."""
    for application in INTEGRATIONS:
        if packages.is_installed(instance.database, application):
            _integration(instance, application)


def implementation_of(application: str) -> str:
    """The sys_id of the default integration instance of an application."""
    return stable_id("sn_sec_int_impl", application)


def job_id(application: str, key: str) -> str:
    """The sys_id of a job."""
    return stable_id(JOB_TABLE, application, key)


def private_table(instance: Instance, application: str) -> str:
    """The name of the private configuration table of an application."""
    settings = instance.knobs.compliance
    return settings.tvm_table if application == TVM else settings.asc_table


def _put(instance: Instance, table: str, sys_id: str, values: Row) -> None:
    """Add a row with its defaults unless it exists."""
    if instance.database.find(table, sys_id) is not None:
        return
    columns = instance.database.schema.tables[table].columns
    row = {name: column.default for name, column in columns.items() if column.default}
    row.update(values, sys_id=sys_id, **instance.stamps("system"))
    if "sys_class_name" in columns:
        row["sys_class_name"] = table
    instance.database.put(table, {name: value for name, value in row.items() if value})


def _integration(instance: Instance, application: str) -> None:
    name, identifier, _ = INTEGRATIONS[application]
    integration = stable_id("sn_sec_int_integration", application)
    implementation = implementation_of(application)
    source = {"name": name, "id": identifier, "source": "Microsoft Defender for Cloud"}
    _put(instance, "sn_sec_int_integration", integration, {**source, "integration_type": "compliance"})
    shown = {"name": name, "integration": integration, "is_default": "true"}
    _put(instance, "sn_sec_int_impl", implementation, shown)
    _jobs(instance, application, implementation)
    if instance.knobs.compliance.storage == "parameters":
        _parameters(instance, application, integration, implementation)
    elif private_table(instance, application) in instance.database.schema.tables:
        _record(instance, application)
        _access(instance, application)


def _jobs(instance: Instance, application: str, implementation: str) -> None:
    user = instance.user_named(RUN_AS)
    run_as = user["sys_id"] if user else ""
    for key, title, run_type, day, time in read_cells(JOBS, 5):
        schedule = {"run_type": run_type, "run_dayofweek": day, "run_time": time, "run_start": instance.timestamp()}
        shown = {"name": title, "run_as": run_as, "instance": implementation, **schedule}
        _put(instance, JOB_TABLE, job_id(application, key), shown)
    if application == TVM:
        other = stable_id("sn_sec_int_impl", OTHER_INSTANCE)
        _put(instance, "sn_sec_int_impl", other, {"name": OTHER_INSTANCE, "is_default": "true"})
        shown = {"name": OTHER_JOB, "run_as": run_as, "instance": other, "run_type": "daily"}
        _put(instance, JOB_TABLE, stable_id(JOB_TABLE, OTHER_JOB), shown)


def _parameters(instance: Instance, application: str, integration: str, implementation: str) -> None:
    for place, (name, label, kind, mandatory, default) in enumerate(read_cells(PARAMETERS, 5)):
        definition = stable_id("sn_sec_int_config", application, name)
        shown = {"name": name, "label": label, "display_name": label, "elem_type": kind, "mandatory": mandatory}
        shown |= {"default_value": default, "order": str(100 * (place + 1)), "integration": integration}
        _put(instance, "sn_sec_int_config", definition, shown)
        value = {"implementation": implementation, "configuration": definition, "value": default}
        _put(instance, "sn_sec_int_impl_config", stable_id("sn_sec_int_impl_config", application, name), value)


def _record(instance: Instance, application: str) -> None:
    table = private_table(instance, application)
    if instance.knobs.compliance.record == "blank":
        _put(instance, table, stable_id(table, "default"), {"impl": implementation_of(application)})


def _access(instance: Instance, application: str) -> None:
    """ACLs of the private table: for the integration's own roles (1.4; 2.1 on 2.5.2)."""
    table, prefix = private_table(instance, application), INTEGRATIONS[application][2]
    overrides = "false" if instance.knobs.compliance.own_role_only else "true"
    for operation in ("read", "create", "write", "delete"):
        acl = stable_id("sys_security_acl", table, operation)
        shown = {"name": table, "operation": operation, "type": "record", "active": "true"}
        _put(instance, "sys_security_acl", acl, shown)
        found = instance.database.find("sys_security_acl", acl)
        if found is not None and found[1].get("admin_overrides") != overrides:
            instance.database.put("sys_security_acl", {**found[1], "admin_overrides": overrides})
        wanted = ["configure_integration"] + ["read_integration"] * (operation == "read")
        for role in wanted:
            name = f"{prefix}.{role}"
            link = {"sys_security_acl": acl, "sys_user_role": stable_id("sys_user_role", name)}
            _put(instance, "sys_security_acl_role", stable_id("sys_security_acl_role", acl, name), link)


def guarded_tables(instance: Instance) -> frozenset[str]:
    """The tables that other application scopes cannot write."""
    if instance.knobs.compliance.cross_scope != "refused":
        return frozenset()
    present = (name for name in (TVM, ASC) if packages.is_installed(instance.database, name))
    return frozenset(("sn_sec_int_impl_config", *(private_table(instance, name) for name in present)))
