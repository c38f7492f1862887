# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a report that a run was asked for is not written."""

from __future__ import annotations

import os
from configparser import ConfigParser, Error

from ansible import constants

CALLBACK = "secops.servicenow_defender.drift"
SECTION = "callback_servicenow_defender_drift"
DIRECTORY = "report_dir"
# The options of the callback, each of which asks for a report.
ENVIRONMENT = {
    DIRECTORY: "SERVICENOW_DEFENDER_REPORT_DIR",
    "formats": "SERVICENOW_DEFENDER_REPORT_FORMATS",
    "run_id": "SERVICENOW_DEFENDER_RUN_ID",
}


def report_note(directory: str = "") -> list[str]:
    """Return one line if a report is asked for, by variable, environment or ansible.cfg, and the callback that writes it is not enabled."""
    enabled = [str(each).strip() for each in constants.CALLBACKS_ENABLED or ()]
    if CALLBACK in enabled:
        return []
    configured = _section(str(constants.CONFIG_FILE or ""))
    asked = {option: os.environ.get(name) or configured.get(option, "") for option, name in ENVIRONMENT.items()}
    named = directory or asked[DIRECTORY]
    if not named and not any(asked.values()):
        return []
    return [
        f"no report{f' in {named}' if named else ''}: the callback that writes it is not enabled. Set ANSIBLE_CALLBACKS_ENABLED={CALLBACK}, "
        f"or callbacks_enabled in ansible.cfg"
    ]


def _section(path: str) -> dict[str, str]:
    """Return the options of the callback in ansible.cfg."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(path, encoding="utf-8")
        return dict(parser[SECTION]) if SECTION in parser else {}
    except (Error, UnicodeDecodeError):
        return {}
