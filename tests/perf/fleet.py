# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a simulated fleet in sync: what is manual work on real instances and in a real tenant is entered directly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.demo.__main__ import enter_access_rules
from tests.sandbox.process import SandboxProcess

ROLES = Path(__file__).resolve().parents[2] / "roles"
ROLE = "defender_cloud_apps_reader"


def instances_of(inventory: Path) -> dict[str, dict[str, Any]]:
    """Return the variables of each instance in an inventory of the sandbox, by name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(inventory.read_text())["servicenow"]["hosts"]
    return found


def do_manual_steps(fleet: SandboxProcess, urls: Mapping[str, str]) -> None:
    """Enter the access rules of onboarded instances and connect them to Defender for Cloud Apps; `urls` by name."""
    defaults = yaml.safe_load((ROLES / "snow_connection" / "defaults" / "main.yml").read_text())
    enter_access_rules(fleet, urls, ROLE, defaults["snow_connection_tables"])
    for name, url in urls.items():
        row = {"name": name, "instance_url": url, "username": "svc", "password": "not used", "state": "connected"}
        fleet.tamper_tenant("connectors", row, insert=True)
