# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend for secrets: the example with plain files."""

from __future__ import annotations

from typing import Any

from tests.integration.playbooks import ROOT, Playbooks


def plain_file(playbook: Playbooks, **changes: str) -> dict[str, Any]:
    """Return the variables of the example with one file for each secret."""
    files = playbook.folder / "files"
    files.mkdir(exist_ok=True)
    backend = {
        "read": "lookup('ansible.builtin.file', secret_files ~ '/' ~ secret_host ~ '.' ~ secret_name, errors='ignore')",
        "write": str(ROOT / "examples/secrets/plain_file.yml"),
        **changes,
    }
    return {"secret_files": str(files), "servicenow_defender_secrets": backend}
