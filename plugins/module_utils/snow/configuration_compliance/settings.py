# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a task for the integration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.errors import InvalidInput
from ...option_names import named_option
from ...transport.polling import Wait
from .constants import CHOICES, LABELS, MANAGEMENT_GROUPS, ON_CREATE, ROLE, SUBSCRIPTIONS

LISTS = (MANAGEMENT_GROUPS, SUBSCRIPTIONS)


@dataclass(frozen=True)
class Settings:
    """The options of a task.

    `values` is the desired configuration, by option. `waiting` is for installations, and for runs of jobs if `jobs_wait`
    is set. `application_managed`: another task manages the application in Entra.
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
    application_managed: bool
    sources: Mapping[str, int]
    max_import_age_hours: int

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Settings:
        """Return the options of a task; raise `InvalidInput` for invalid ones."""
        values = {name: params[name] for name in LABELS if params.get(name) is not None}
        _check_scope(values)
        for name in ("api_url", "tenant_id", "client_id", "client_secret"):
            if values.get(name) == "":
                raise InvalidInput(f"{named_option(name, ROLE)} is empty; set a value, or omit it")
        expected = {name: count for name, count in (params.get("expected") or {}).items() if count is not None}
        sources = {name: count for name, count in (params.get("sources") or {}).items() if count is not None}
        max_hours = params.get("max_import_age_hours") or 0
        return cls(
            values,
            params["update_secret"],
            params.get("integration_instance") or "",
            tuple(params["jobs"]),
            params["install"],
            params.get("versions") or {},
            params["jobs_wait"],
            Wait(params["wait"], params["wait_timeout"], params["poll_interval"], named_option("wait_timeout", ROLE)),
            expected,
            params["application_managed"],
            sources,
            max_hours,
        )

    @property
    def form_values(self) -> dict[str, str]:
        """The values to enter in the form, by its labels, without the secret."""
        shown = {}
        for name, value in {**ON_CREATE, **self.values}.items():
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
    """Raise `InvalidInput` unless the lists fit the choice: the integration imports everything if a list is blank.

    See docs/facts/configuration_compliance.md#configuration-form.
    """
    chosen = values.get("import_from")
    for name in LISTS:
        given = values.get(name)
        if given is not None and chosen != name:
            raise InvalidInput(
                f"{named_option(name, ROLE)} requires {named_option('import_from', ROLE)} {name}, not {chosen or 'none'}"
            )
        if chosen == name and not given:
            raise InvalidInput(
                f"{named_option('import_from', ROLE)} {name} requires {named_option(name, ROLE)}; a blank list would import everything"
            )
        for entry in given or ():
            if not entry.strip() or "," in entry or "/" in entry:
                raise InvalidInput(
                    f"{named_option(name, ROLE)} has the entry {entry!r}; each entry must be one id, such as a GUID without a path"
                )
