# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance that an update set comes from: its completed sets and its release. It is only read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...ansible_module import Params, TaskContext
from ...argument_secrets import secrets_in
from ...engine.errors import InvalidInput, PlatformFailure
from ...transport.errors import TransportError
from ...transport.settings import TRANSPORT_OPTIONS
from ..client import ServiceNowClient
from ..options import SNOW_OPTIONS
from ..query import TableQuery, TableRow, TableRows, encoded
from ..release import BUILD_PROPERTIES, Release, release_of
from .retrieved import LOCAL_SETS, UPDATES

CONNECTION = {**TRANSPORT_OPTIONS, **SNOW_OPTIONS}
COMPLETE = "complete"


def connection_secrets(params: Params) -> Iterable[Any]:
    """Return the secrets in the option `source_options`, which has no specification of its own."""
    return secrets_in(CONNECTION, params.get("source_options") or {})


@dataclass(frozen=True)
class CompletedSet:
    """A completed update set of the source."""

    sys_id: str
    created: str


class SourceInstance:
    """One instance as the source of the update sets that are called `update_set`."""

    def __init__(self, client: ServiceNowClient, name: str, update_set: str) -> None:
        self.client, self.name, self.update_set = client, name, update_set
        self.url = client.session.base_url

    @classmethod
    def from_params(cls, params: Params, context: TaskContext, update_set: str) -> SourceInstance | None:
        """Return the source of a task; None without `source_options`. Raises `InvalidInput` for options that are invalid."""
        given = params.get("source_options")
        if given is None:
            return None
        if not given.get("snow_url"):
            raise InvalidInput("source_options: snow_url is missing. Give the connection options of the source")
        inherited = {name: params[name] for name in TRANSPORT_OPTIONS if params.get(name) is not None}
        validated = ArgumentSpecValidator(CONNECTION).validate({**inherited, **given})
        if validated.error_messages:
            raise InvalidInput(f"source_options: {'; '.join(validated.error_messages)}")
        # Messages name the instance that the task is about, not the source.
        client = ServiceNowClient.from_params(validated.validated_parameters, replace(context))
        return cls(client, str(params["source"]), update_set)

    @property
    def completed(self) -> list[CompletedSet]:
        """The completed sets, oldest first."""
        found = [CompletedSet(row["sys_id"], row.get("sys_created_on", "")) for row in self._sets if _is_complete(row)]
        return sorted(found, key=lambda each: (each.created, each.sys_id))

    def later_updates(self, set_id: str, known: Iterable[Any]) -> list[str]:
        """Return the objects of the updates that a set has here, and whose names are not among those `known`."""
        names = set(known)
        rows = [row for row in self._answers[2].rows if row.get("update_set") == set_id]
        return sorted({row.get("target_name") or row["name"] for row in rows if row.get("name", "") not in names})

    @property
    def hides_updates(self) -> bool:
        """Whether the account may not read all updates of the completed sets."""
        answer = self._answers[2]
        return bool(answer.refused) or (answer.total or 0) > len(answer.rows)

    @property
    def release(self) -> Release:
        """The release of the source; an empty one where it cannot be read."""
        return release_of({row["name"]: row.get("value", "") for row in self._answers[1].rows})

    @property
    def why_none(self) -> str:
        """Why there is no completed set."""
        states = sorted({row.get("state", "") for row in self._sets})
        if states:
            return f"{self.name}: the update set {self.update_set!r} is not complete (state: {', '.join(states)})"
        return f"{self.name} has no completed update set {self.update_set!r}, or the account may not read {LOCAL_SETS}"

    @property
    def _sets(self) -> list[TableRow]:
        return [row for row in self._answers[0].rows if row.get("name") == self.update_set]

    @cached_property
    def _answers(self) -> list[TableRows]:
        queries = [
            TableQuery(LOCAL_SETS, encoded({"name": self.update_set}), ("sys_id", "name", "state", "sys_created_on")),
            TableQuery("sys_properties", encoded({"name": list(BUILD_PROPERTIES)}), ("name", "value"), optional=True),
            TableQuery(
                UPDATES,
                encoded({"update_set.name": self.update_set, "update_set.state": COMPLETE}),
                ("sys_id", "name", "target_name", "update_set"),
                optional=True,
            ),
        ]
        try:
            return self.client.query(queries)
        except TransportError as error:
            raise PlatformFailure(
                f"the source {self.name} cannot be read, so nothing was taken over: {error}"
            ) from None


def _is_complete(row: Mapping[str, str]) -> bool:
    return row.get("state") == COMPLETE
