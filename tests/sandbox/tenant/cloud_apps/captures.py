# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures of the portal page, for tests that learn from one without a browser.

The files in `captures/` were recorded by `tests/browser/test_portal_wizard.py` (UPDATE_CAPTURES=1 records them again),
which also checks that they match what a browser sends today. Everything in them is made up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

FOLDER = Path(__file__).parent / "captures"
WIZARD = "connector_wizard"
"""One instance connected manually."""
MANAGEMENT = "connector_management"
"""Another instance connected, disabled, connected again with the same details, and deleted."""
DATA_CONNECTOR = "data_connector"
"""An instance connected to Exposure Management, connected again with the same details, and disconnected."""
DATA_CONNECTOR_BASIC = "data_connector_basic"
"""The same with Basic authentication."""


def replace_url(text: str, old: str, new: str) -> str:
    """Replace an address in a text, plain and URL-encoded; also without its scheme."""
    replaced = text.replace(old, new).replace(quote(old, safe=""), quote(new, safe=""))
    return replaced.replace(old.partition("://")[2], new.partition("://")[2])


def capture(name: str, base_url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A capture rewritten for the sandbox at `base_url`, and the wizard input by connector option."""
    typed = json.loads((FOLDER / "typed.json").read_text(encoding="utf-8"))
    har = (FOLDER / f"{name}.har").read_text(encoding="utf-8")
    values = json.dumps(typed["values"][name])
    return json.loads(replace_url(har, typed["base_url"], base_url)), json.loads(
        replace_url(values, typed["base_url"], base_url)
    )
