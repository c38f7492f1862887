# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays a contract: its requests, to its host, as long as the responses match what it declares."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from ..ansible_module import Params, TaskContext
from ..engine.errors import EngineError, InvalidInput, Refused
from ..missing_library import missing_library
from ..transport.errors import BadConnectionOption, HttpError, SignInFailed, UnexpectedPage
from ..transport.responses import Response
from ..transport.session import Session
from .contract import Contract, Step, is_generated, origin_of
from .portal_session import PortalSession
from .template import FORM, encoder_of, render, render_url

with suppress(ImportError):  # `Replay` reports it
    import jmespath
    from jmespath.exceptions import JMESPathError

# Placeholders that connection options fill.
SESSION_OPTIONS = {
    "portal_cookie": "mda_portal_cookie",
    "portal_xsrf_token": "mda_portal_xsrf_token",
    "tenant_id": "azure_tenant_id",
}
AUTHORIZATION = "authorization"
# How portals answer when a session has ended; 419 and 440 are not part of a standard.
SESSION_ENDED = frozenset({401, 403, 419, 440})


class UnknownObject(EngineError):
    """The platform does not know the object with the id that was sent, or the route is gone: nothing more is sent."""


class ReplayClient(Protocol):
    """The client of the platform that a contract is replayed for. `session` signs in with the user's own credentials."""

    name: str
    context: TaskContext
    params: Params

    @property
    def session(self) -> Session:
        """The session with the platform's own API."""

    def session_to(self, origin: str) -> Session:
        """Return a session with another host, which does not sign in."""

    def refusal(self, error: HttpError) -> Exception:
        """Return the exception for a refused call: its cause, and what to do."""


class Replay:
    """A contract, bound to the client of one platform."""

    def __init__(self, contract: Contract, client: ReplayClient) -> None:
        if "jmespath" not in globals():
            raise BadConnectionOption(missing_library("jmespath", "a contract"))
        self.contract, self.client = contract, client
        self.session = client.session_to(contract.origin)
        options = {name: client.params.get(option) for name, option in SESSION_OPTIONS.items()}
        self.portal = PortalSession({name: value for name, value in options.items() if value}, client.context.redactor)
        # The credentials of the user are sent to the platform's own host only.
        self.may_sign = origin_of(client.session.base_url) == contract.origin

    @property
    def session_values(self) -> Mapping[str, str]:
        """The values that connection options fill, by placeholder."""
        return self.portal.values

    def offers(self, operation: str) -> bool:
        """Return whether the contract has `operation`."""
        return operation in self.contract.operations

    def can_list(self) -> bool:
        """Return whether the contract can list connectors with the values of this session."""
        return self.offers("list") and self.contract.required_values("list") <= {*self.session_values, "skip", "limit"}

    def check(self, operation: str, values: Mapping[str, Any], label: str) -> None:
        """Raise `InvalidInput` if a value for `operation` on `label` is missing; to be called before the first write."""
        missing = self.contract.required_values(operation) - set(values) - set(self.session_values)
        if self.may_sign:
            missing.discard(AUTHORIZATION)
        if self.client.context.check_mode:
            # Check mode sends none of these requests, so it requires no portal session.
            missing -= set(SESSION_OPTIONS)
        if not missing:
            return
        named = ", ".join(sorted(SESSION_OPTIONS.get(name, name) for name in missing))
        raise InvalidInput(
            f"{label}: contract {self.contract.name!r} requires {named} to {operation} it. Nothing was sent"
        )

    def run(self, operation: str, values: Mapping[str, Any], *, only_reads: bool = False) -> dict[str, Any]:
        """Send the requests of `operation`, in order; return the declared fields of all responses.

        Raises `SignInFailed` when the portal session has ended, `Refused` when the platform refuses a request, and
        `EngineError` when a response does not match the contract: then nothing more is sent.
        """
        steps = self.contract.operations[operation]
        filled = {**self.session_values, **values}
        if AUTHORIZATION in self.contract.required_values(operation) and self.may_sign and self.client.session.signer:
            filled[AUTHORIZATION] = self.client.session.signer.headers()["Authorization"]
        for name in {name for step in steps for name in step.placeholders if is_generated(name)}:
            filled[name] = generate(name)
        fields: dict[str, Any] = {}
        for number, step in enumerate(steps, 1):
            place = f"request {number} of {len(steps)} of {operation}" if len(steps) > 1 else operation
            before = dict(self.session_values)
            found = self._send(step, filled, place, only_reads)
            fields.update(found)
            filled.update({name: value for name, value in self.session_values.items() if value != before.get(name)})
            filled.update(found)
        return fields

    def _send(self, step: Step, values: Mapping[str, Any], place: str, only_reads: bool) -> dict[str, Any]:
        parts = urlsplit(render_url(step.url, values))
        body = step.body
        content: dict[str, Any] = {"body": render(body, values)} if body is not None else {}
        if encoder_of(body) == FORM:
            content = {"form": render(body[FORM], values)}
        headers = {name: str(render(value, values)) for name, value in step.headers.items()}
        try:
            response = self.session.request(
                step.method,
                parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)) or None,
                headers=headers,
                signed=False,
                only_reads=only_reads,
                accept_errors=True,
                **content,
            )
        except UnexpectedPage as error:
            raise SignInFailed(self._session_ended(str(error))) from None
        self.portal.learn(response.headers)
        if response.status in SESSION_ENDED and AUTHORIZATION in step.placeholders:
            raise self.client.refusal(self._error_of(response))
        self._check_status(step, response, place)
        return {name: self._field(name, path, response, place) for name, path in step.fields.items()}

    def _error_of(self, response: Response) -> HttpError:
        return response.error(self.client.context.redactor.scrub_text)

    def _check_status(self, step: Step, response: Response, place: str) -> None:
        if response.status in step.statuses:
            return
        error = self._error_of(response)
        if response.status in SESSION_ENDED:
            raise SignInFailed(self._session_ended(str(error)))
        if response.status >= 400 and response.status not in (404, 405, 410):
            raise Refused(f"{self.client.name}: the portal refused {place}. {error}", status="failed")
        expected = ", ".join(map(str, step.statuses))
        mismatch = self._mismatch(place, f"{error}, but the contract declares status {expected}")
        if response.status in (404, 410) and "id" in step.placeholders:
            raise UnknownObject(f"{mismatch}. If it was removed in the portal, there is no such object any more")
        raise mismatch

    def _field(self, name: str, path: str, response: Response, place: str) -> Any:
        try:
            value = jmespath.search(path, response.data)
        except JMESPathError as error:
            raise InvalidInput(
                f"contract {self.contract.name!r}: field {name}: {path!r} is not a valid JMESPath expression ({error})"
            ) from None
        if value is None:
            got = ", ".join(sorted(map(str, response.data))) if isinstance(response.data, Mapping) else "no mapping"
            where = f"{response.method} {response.path} -> {response.status}"
            raise self._mismatch(place, f"{where}: the response lacks {name} ({path}); it has: {got}")
        return value

    def _mismatch(self, place: str, what: str) -> EngineError:
        return EngineError(
            f"{self.client.name}: contract {self.contract.name!r} no longer matches ({place}). {what}. Nothing more was sent. The "
            f"portal has changed: connect one instance manually and learn the contract again"
        )

    def _session_ended(self, error: str) -> str:
        return (
            f"the portal session has ended or lacks the permission. {error.rstrip('.')}. Sign in to {self.contract.origin} again as a Security "
            f"Administrator or Cloud App Security Administrator, and set mda_portal_cookie and mda_portal_xsrf_token; the latter is "
            f"valid for minutes only"
        )


def generate(name: str) -> Any:
    """Return a new value for the placeholder `name`."""
    now = datetime.now(timezone.utc)
    if name == "now":
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if name.startswith("now_"):
        return int(now.timestamp() * (1000 if name == "now_ms" else 1))
    return str(uuid.uuid4())
