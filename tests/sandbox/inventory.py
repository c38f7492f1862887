# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that the collection's playbooks run on unchanged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HOST_VARIABLES = {"snow_url": "url", "snow_username": "username", "snow_password": "password"}
TENANT_VARIABLES = (
    "azure_tenant_id",
    "azure_client_id",
    "azure_client_secret",
    "azure_authority_url",
    "azure_graph_url",
    "azure_arm_url",
    "azure_subscription_id",
    "mda_url",
    "mda_api_token",
)
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def write_inventory(path: Path, instances: Iterable[Mapping[str, Any]], tenant: Mapping[str, Any]) -> None:
    """Write group `servicenow`, one host per instance, and group `defender`. Only the owner may read the file."""
    text = inventory_text(list(instances), tenant)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def inventory_text(instances: list[Mapping[str, Any]], tenant: Mapping[str, Any]) -> str:
    """The inventory as YAML. Strings are written as JSON, which YAML reads, which is fast for hundreds of hosts."""
    shared = {**LOCAL, **({"ca_path": tenant["ca_path"]} if "ca_path" in tenant else {})}
    out = ["# Written by the sandbox; valid as long as it runs.", "servicenow:", "  vars:"]
    out += (f"    {name}: {json.dumps(value)}" for name, value in shared.items())
    out.append("  hosts:" if instances else "  hosts: {}")
    for instance in instances:
        out.append(f"    {instance['name']}:")
        out += (f"      {name}: {json.dumps(instance[key])}" for name, key in HOST_VARIABLES.items())
    out += ["defender:", "  vars:"]
    out += (f"    {name}: {json.dumps(value)}" for name, value in shared.items())
    out += ["  hosts:", "    tenant:"]
    out += (f"      {name}: {json.dumps(tenant[name])}" for name in TENANT_VARIABLES)
    return "\n".join([*out, ""])
