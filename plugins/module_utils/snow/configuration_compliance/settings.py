# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task describes of the integration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.errors import InvalidInput
from ...transport.polling import Wait
from .constants import CHOICES, LABELS, MANAGEMENT_GROUPS, SUBSCRIPTIONS

LISTS = (MANAGEMENT_GROUPS, SUBSCRIPTIONS)


@dataclass(frozen=True)
class Settings:
    """The options of a task.

    `values` holds what the configuration is to hold, by option. `waiting` is for installations, and for runs of jobs where
    `jobs_wait` says so.
    """

    values: Mapping[str, Any]
    update_secret: str
    integration_instance: str
    jobs: tuple[str, ...]
    install: bool
    versions: Mapping[str, str]
    jobs_wait: bool
    waiting: Wait
    expected: Mapping[str, int]

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Settings:
        """Return what a task describes; raise `InvalidInput` for what cannot be meant."""
        values = {name: params[name] for name in LABELS if params.get(name) is not None}
        _check_scope(values)
        for name in ("api_url", "tenant_id", "client_id", "client_secret"):
            if values.get(name) == "":
                raise InvalidInput(f"{name} is empty; give a value, or leave it out")
        if params["poll_interval"] <= 0 or params["wait_timeout"] < 0:
            raise InvalidInput("poll_interval must be more than 0 seconds, and wait_timeout not less than 0")
        expected = {name: count for name, count in (params.get("expected") or {}).items() if count is not None}
        if any(count < 0 for count in expected.values()):
            raise InvalidInput("expected: a count is a whole number from 0")
        return cls(
            values,
            params["update_secret"],
            params.get("integration_instance") or "",
            tuple(params["jobs"]),
            params["install"],
            params.get("versions") or {},
            params["jobs_wait"],
            Wait(params["wait"], params["wait_timeout"], params["poll_interval"]),
            expected,
        )

    @property
    def entered(self) -> dict[str, str]:
        """What a person enters in the form, by its labels, without the secret."""
        shown = {}
        for name, value in self.values.items():
            if name == "import_from":
                shown[LABELS[name]] = CHOICES[value]
            elif name != "client_secret":
                shown[LABELS[name]] = ",".join(value) if name in LISTS else str(value)
        return shown

    @property
    def secret_labels(self) -> list[str]:
        """The labels of fields whose value is a secret."""
        return [LABELS["client_secret"]] if "client_secret" in self.values else []


def _check_scope(values: dict[str, Any]) -> None:
    """Raise `InvalidInput` unless the lists fit the choice: a blank list means everything to the integration.

    See docs/facts/configuration_compliance.md#configuration-form.
    """
    chosen = values.get("import_from")
    for name in LISTS:
        given = values.get(name)
        if given is not None and chosen != name:
            raise InvalidInput(f"{name} goes with import_from: {name}, not with {chosen or 'none'}")
        if chosen == name and not given:
            raise InvalidInput(f"import_from: {name} needs {name}; a blank list would import everything")
        for entry in given or ():
            if not entry.strip() or "," in entry or "/" in entry:
                raise InvalidInput(
                    f"{name} holds {entry!r}; give ids alone, one an entry, such as a GUID without a path"
                )
