# SPDX-License-Identifier: GPL-3.0-or-later
"""Governance rules: read, written, removed and run (docs/facts/defender_for_cloud.md#governance-rules)."""

from __future__ import annotations

from ...engine.plan import Write
from .scoped_objects_api import ScopedObjectsEndpoint

COLLECTION, VERSION = "governanceRules", "2022-01-01-preview"
INTEGRATED, SERVICENOW = "Integrated", "ServiceNow"


class GovernanceRulesEndpoint(ScopedObjectsEndpoint):
    """The rules in effect on a scope."""

    kind = COLLECTION

    def perform(self, write: Write) -> None:
        """Run a rule and wait for its end; raises `EngineError` when it fails, is canceled or lasts too long."""
        body = {"override": write.values["override"]}
        response = self.client.call("POST", f"{self.path(str(write.row))}/execute", self.version, body=body)
        self.client.finish(response, write.label, self.wait_timeout)
