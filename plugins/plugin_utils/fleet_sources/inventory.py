# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds hosts to an inventory, with the groups and variables that a source makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

from ..fleet import did_you_mean


def add_hosts(plugin: Any, hosts: Iterable[Mapping[str, Any]], group: str) -> None:
    """Add hosts (name, variables, groups) to the inventory of a plugin; what sources hold is never evaluated as a template."""
    inventory = plugin.inventory
    inventory.add_group(group)
    strict = plugin.get_option("strict")
    for host in hosts:
        name = inventory.add_host(host["name"], group)
        variables = wrap_var(dict(host["variables"]))
        for variable, value in variables.items():
            inventory.set_variable(name, variable, value)
        for other in host["groups"]:
            inventory.add_child(inventory.add_group(plugin._sanitize_group_name(other)), name)
        plugin._set_composite_vars(plugin.get_option("compose"), variables, name, strict=strict)
        plugin._add_host_to_composed_groups(plugin.get_option("groups"), variables, name, strict=strict)
        plugin._add_host_to_keyed_groups(plugin.get_option("keyed_groups"), variables, name, strict=strict)


def read_source(plugin: Any, path: str) -> None:
    """Read the options of a source; one that the plugin does not have is a warning, since Ansible ignores it."""
    given = plugin._read_config_data(path)
    known = {
        alias for name, option in plugin.option_definitions.items() for alias in (name, *option.get("aliases", ()))
    }
    for name in sorted(map(str, {*given} - known)):
        plugin.display.warning(f"{path}: {name} is not an option of {plugin.NAME}.{did_you_mean(name, known)}")
