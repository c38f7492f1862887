# SPDX-License-Identifier: GPL-3.0-or-later
"""One exemption: its recommendation and resource, and the properties that Azure receives.

See docs/facts/defender_for_cloud.md#exemptions.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ...engine.errors import InvalidInput
from ...timestamps import format_utc, parse, same_instant
from ..arm.scopes import MANAGEMENT_GROUP, path_key, read_scope
from .assessments import ASSESSMENTS_PATH, connector_of

CATEGORIES = ("waiver", "mitigated")
EFFECT = "Exempt"
DEFAULT_STANDARD = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8"
STANDARDS_PATH = "/providers/Microsoft.Security/securityStandards/"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "secops.servicenow_defender/standardAssignments")

EXEMPTION_OPTIONS: dict[str, dict[str, Any]] = {
    "recommendation": {"type": "str", "required": True},
    "resource_id": {"type": "str", "required": True},
    "category": {"type": "str", "choices": list(CATEGORIES)},
    "expires_at": {"type": "str"},
    "reason": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def key_of(resource_id: Any, recommendation: Any) -> str:
    """Return what an exemption is about in a form that can be compared."""
    return f"{path_key(resource_id)}|{str(recommendation).strip().casefold()}"


@dataclass(frozen=True)
class Part:
    """One option, and its path below `properties`."""

    option: str
    path: tuple[str, ...]
    same: Callable[[Any, Any], bool]

    def read(self, properties: Mapping[str, Any]) -> Any:
        """Return the value, None where there is none."""
        value: Any = properties
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value


PARTS = (
    Part(
        "category",
        ("exemptionData", "exemptionCategory"),
        lambda a, b: str(a or "").casefold() == str(b or "").casefold(),
    ),
    Part("expires_at", ("expiresOn",), lambda a, b: same_instant(str(a or ""), str(b or ""))),
    Part("reason", ("description",), lambda a, b: (a or "") == (b or "")),
)


class Exemption:
    """One desired exemption. `refusal` says why its options make no sense: the others are not affected by that."""

    def __init__(self, entry: Mapping[str, Any], standard: str) -> None:
        self.recommendation, self.standard = entry["recommendation"].strip(), standard
        self.refusal = ""
        try:
            scope = read_scope("resource_id", entry["resource_id"])
            self.resource_id, self.is_group = scope.path, scope.kind == MANAGEMENT_GROUP
            if ASSESSMENTS_PATH.lower() in self.resource_id.lower():
                raise InvalidInput("resource_id must be the id of the resource alone, without the assessment")
        except InvalidInput as error:
            self.resource_id, self.is_group = entry["resource_id"].strip(), False
            self.refusal = str(error)
        self.is_wanted = entry["state"] == "present"
        self.values = {part.option: entry[part.option] for part in PARTS if entry.get(part.option) is not None}
        self._read_end()

    def _read_end(self) -> None:
        if self.values.get("expires_at"):
            try:
                self.values["expires_at"] = format_utc(parse(self.values["expires_at"]))
            except (ValueError, OverflowError) as error:
                self.refusal = self.refusal or f"expires_at {error}"

    @property
    def key(self) -> str:
        """What it is about, in a form that can be compared."""
        return key_of(self.resource_id, self.recommendation)

    @property
    def label(self) -> str:
        """Its name in messages."""
        return f"exemption {self.recommendation} on {self.resource_id}"

    @property
    def name(self) -> str:
        """The name of a new exemption: the same in every run, so that it can be sent again."""
        return str(uuid.uuid5(NAMESPACE, self.key))

    @property
    def scope(self) -> str:
        """The scope whose list has it: the resource's connector, its subscription, or the management group itself."""
        return (
            self.resource_id
            if self.is_group
            else connector_of(self.resource_id) or "/".join(self.resource_id.split("/")[:3])
        )

    @property
    def is_over(self) -> bool:
        """Whether its end has passed: it has no effect then."""
        end = str(self.values.get("expires_at") or "")
        return bool(end) and parse(end) <= datetime.now(timezone.utc)

    def differences(self, properties: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
        """Return option, before and after of what differs."""
        return [
            (part.option, part.read(properties), self.values[part.option])
            for part in PARTS
            if part.option in self.values and not part.same(part.read(properties), self.values[part.option])
        ]

    def patched(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the properties to send: those of the exemption with the desired values; what else they hold stays."""
        sent = copy.deepcopy({name: value for name, value in properties.items() if name != "metadata"})
        for part in PARTS:
            if part.option in self.values:
                inner = sent
                for name in part.path[:-1]:
                    inner = inner.setdefault(name, {})
                inner[part.path[-1]] = self.values[part.option]
        if not sent.get("expiresOn"):
            sent.pop("expiresOn", None)
        return sent

    def created(self) -> dict[str, Any]:
        """Return the properties of a new exemption."""
        about = self.resource_id.rpartition("/")[2]
        standard = self.standard if "/" in self.standard else f"{STANDARDS_PATH}{self.standard}"
        return self.patched(
            {
                "displayName": f"Exemption of {about} from {self.recommendation}",
                "assignedStandard": {"id": standard},
                "effect": EFFECT,
                "exemptionData": {"assignedAssessment": {"assessmentKey": self.recommendation}},
            }
        )
