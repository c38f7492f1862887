# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that the collection's playbooks run on unchanged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HOST_VARIABLES = {"snow_url": "url", "snow_username": "username", "snow_password": "password"}
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def write_inventory(path: Path, instances: Iterable[Mapping[str, Any]]) -> None:
    """Write group `servicenow`, one host per instance, and group `defender`. Only the owner may read the file."""
    text = inventory_text(list(instances))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def inventory_text(instances: list[Mapping[str, Any]]) -> str:
    """The inventory as YAML. Strings are written as JSON, which YAML reads, so that hundreds of hosts take no time."""
    shared = dict(LOCAL)
    if instances and "ca_path" in instances[0]:
        shared["ca_path"] = instances[0]["ca_path"]
    out = ["# Written by the sandbox; valid as long as it runs.", "servicenow:", "  vars:"]
    out += (f"    {name}: {json.dumps(value)}" for name, value in shared.items())
    out.append("  hosts:" if instances else "  hosts: {}")
    for instance in instances:
        out.append(f"    {instance['name']}:")
        out += (f"      {name}: {json.dumps(instance[key])}" for name, key in HOST_VARIABLES.items())
    out += ["defender:", "  vars:"]
    out += (f"    {name}: {json.dumps(value)}" for name, value in LOCAL.items())
    out += ["  hosts:", "    tenant: {}", ""]
    return "\n".join(out)
