# SPDX-License-Identifier: GPL-3.0-or-later
"""Assessments as Resource Manager writes them, and tasks that read them."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from tests.unit.plugins.module_utils.loopback import Loopback

SUB = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23"
OTHER_SUB = "/subscriptions/c32e05d9-7207-4e22-bdf4-4f7d9c72e5fd"
CONNECTOR = f"{SUB}/resourceGroups/clouds/providers/Microsoft.Security/securityConnectors/aws-prod"
VULNERABLE, OPEN_PORT = "1195afff-c881-495e-9bc5-1486211ae03f", "bc303248-3d14-44c2-96a0-55f5c326b5fe"


def machine(name: str, sub: str = SUB) -> str:
    return f"{sub}/resourceGroups/prod/providers/Microsoft.Compute/virtualMachines/{name}"


def assessment(
    resource: str, name: str = VULNERABLE, status: Any = "Unhealthy", source: str = "Azure", **properties: Any
) -> dict[str, Any]:
    return {
        "id": f"{resource}/providers/Microsoft.Security/assessments/{name}",
        "name": name,
        "type": "Microsoft.Security/assessments",
        "properties": {
            "displayName": f"About {name}",
            "status": status if isinstance(status, dict) else {"code": status},
            "resourceDetails": {"source": source, "id": resource},
            **properties,
        },
    }


def metadata(name: str = VULNERABLE, severity: str = "High", **properties: Any) -> dict[str, Any]:
    values = {"displayName": f"About {name}", "severity": severity, "assessmentType": "BuiltIn", **properties}
    return {"name": name, "properties": values}


def ran(
    module: Any, server: Loopback, check_mode: bool = False, show: list[str] | None = None, **given: Any
) -> dict[str, Any]:
    """Run a module and return its result, with the warnings; `show` gets the lines of progress."""
    options = {"azure_arm_url": server.url, "azure_access_token": "given-t0ken-text", "retries": 1, **given}
    checked = ArgumentSpecValidator(module.SPEC.argument_spec).validate(options)
    assert not checked.error_messages
    context = TaskContext(check_mode=check_mode, show=None if show is None else show.append)
    result: dict[str, Any] = module.run(checked.validated_parameters, context).as_dict(with_diff=True)
    return {**result, "warnings": context.warnings}
