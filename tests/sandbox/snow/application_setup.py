# SPDX-License-Identifier: GPL-3.0-or-later
"""Install plugins and store applications with their dependencies and their rows.

See docs/facts/configuration_compliance.md#the-application, docs/facts/configuration_compliance.md#the-integration.
"""

from __future__ import annotations

from ..settings import SettingError
from . import packages
from .base_rows import read_cells
from .configuration_compliance import integration
from .data.applications import STORE_APPLICATIONS
from .data.compliance import ASC, CLASSIC_VERSIONS, LICENSED, PLUGIN_OF, TVM
from .instance import Instance
from .package_rows import added_rows
from .role_grants import materialise

_REQUESTED: dict[str, tuple[str, ...]] = {
    "absent": (),
    "not_entitled": (),
    "tvm": (TVM,),
    "asc": (ASC,),
    "both": (TVM, ASC),
}


def apply_knobs(instance: Instance) -> None:
    """Apply the knobs to the instance; raises SettingError if that would remove an application."""
    wanted = _REQUESTED[instance.knobs.configuration_compliance]
    for name in (TVM, ASC):
        if name in wanted:
            if not packages.is_installed(instance.database, name):
                install_with_dependencies(instance, name)
        elif packages.is_installed(instance.database, name) and instance.knobs.configuration_compliance != "absent":
            raise SettingError(f"{name} cannot be taken off a running instance: make a new instance")
    add_package_rows(instance)


def missing_entitlement(instance: Instance, name: str) -> str:
    """Why a package cannot be installed: the first dependency without entitlement; empty if it can."""
    refused = set(instance.knobs.cicd.not_entitled)
    if instance.knobs.configuration_compliance == "not_entitled":
        refused |= LICENSED
    for each in _with_dependencies(instance, name):
        if each in refused and not packages.is_installed(instance.database, each):
            return f"Not entitled to application {each}"
    return ""


def _with_dependencies(instance: Instance, name: str) -> list[str]:
    line = instance.knobs.compliance.line
    scopes = {plugin: scope for scope, plugin in PLUGIN_OF.items()}
    if name not in scopes:
        return packages.with_dependencies(name, line)
    return [*packages.with_dependencies(scopes[name], line)[:-1], name]


def install_with_dependencies(instance: Instance, name: str, version: str = "") -> None:
    """Install a package after its missing dependencies, and add the rows of all of them."""
    *needed, last = _with_dependencies(instance, name)
    for each in needed:
        if not packages.is_installed(instance.database, each):
            _put(instance, each)
    _put(instance, last, version)
    add_package_rows(instance)


def add_package_rows(instance: Instance) -> None:
    """Add the tables and rows of the installed packages."""
    instance.redefine()
    names = tuple(packages.installed(instance.database))
    if not names:
        return
    texts = packages.table_definitions(instance.database, instance.knobs.compliance)
    for table, rows in added_rows(instance.knobs.release, texts, names).items():
        instance.database.put_missing(table, rows.by_id.values())
    integration.add_rows(instance)
    for user in list(instance.database.rows("sys_user").by_id):
        materialise(instance.database, user, counted=instance.knobs.role_management_v2, now=instance.timestamp())


def _put(instance: Instance, name: str, version: str = "") -> None:
    """Add the rows that list a package as installed."""
    if name.startswith("com."):
        _activate(instance, name)
        return
    known = next((row for row in read_cells(STORE_APPLICATIONS, 3) if row[0] == name), ["", name, "1.0.0"])
    newest = CLASSIC_VERSIONS.get(name, known[2]) if instance.knobs.compliance.line == "classic" else known[2]
    listed = instance.knobs.compliance.listed if name in PLUGIN_OF else "store"
    if listed != "plugin":
        scope = instance.knobs.compliance.asc_scope if name == ASC else name
        install(instance, scope, known[1], version or newest, newest)
    if listed != "store":
        _activate(instance, PLUGIN_OF[name], version or newest)


def _activate(instance: Instance, plugin_id: str, version: str = "") -> None:
    """Mark a plugin as active in both tables that list plugins."""
    row = instance.database.first("v_plugin", "id", plugin_id)
    if row is None:
        return
    row = {**row, "active": instance.knobs.plugin_literal, "version": version or row.get("version", "")}
    instance.database.put("v_plugin", row)
    if instance.database.first("sys_plugins", "source", plugin_id) is None:
        instance.database.put(
            "sys_plugins",
            {
                "sys_id": instance.new_id(),
                "sys_class_name": "sys_plugins",
                "source": plugin_id,
                "scope": plugin_id,
                "name": row.get("name", ""),
                "version": row.get("version", ""),
                "active": "true",
                "state": "installed",
                **instance.stamps("system"),
            },
        )


def install(instance: Instance, scope: str, name: str, version: str, newest: str) -> None:
    """Add or update the row of a store application."""
    row = instance.database.first("sys_store_app", "scope", scope)
    fresh = {
        "sys_id": instance.new_id(),
        "sys_class_name": "sys_store_app",
        "scope": scope,
        "name": name,
        "active": "true",
    }
    instance.database.put(
        "sys_store_app",
        {
            **(row or {**fresh, **instance.stamps("system")}),
            "version": version,
            "latest_version": newest,
            "update_available": str(version != newest).lower(),
            "install_date": instance.timestamp(),
        },
    )
