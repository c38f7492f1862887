# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what a contract says and nothing else: its requests, to its host, as long as the answers are as declared."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from ..ansible_module import Params, TaskContext
from ..engine.errors import EngineError, InvalidInput, Refused
from ..transport.errors import BadConnectionOption, HttpError, SignInFailed, UnexpectedPage
from ..transport.responses import Response
from ..transport.session import Session
from .contract import GENERATED, Contract, Step, origin_of
from .template import FORM, encoder_of, rendered, rendered_url

with suppress(ImportError):  # `Replay` tells
    import jmespath
    from jmespath.exceptions import JMESPathError

# What portals answer to a session that has ended; 419 and 440 are not in any standard.
OPTIONS = {
    "portal_cookie": "mda_portal_cookie",
    "portal_xsrf_token": "mda_portal_xsrf_token",
    "tenant_id": "azure_tenant_id",
}
AUTHORIZATION = "authorization"
SESSION_ENDED = frozenset({401, 403, 419, 440})


class CloudAppsClient(Protocol):
    """Whoever a contract is replayed for. `session` signs in with what we have of our own."""

    name: str
    context: TaskContext
    params: Params

    @property
    def session(self) -> Session:
        """The session with the tenant's own API."""

    def session_to(self, origin: str) -> Session:
        """Return a session with another host, which does not sign in."""

    def refusal(self, error: HttpError) -> Exception:
        """Return what a refused call means, and what to do."""


class Replay:
    """A contract, for the tenant at hand."""

    def __init__(self, contract: Contract, tenant: CloudAppsClient) -> None:
        if "jmespath" not in globals():
            raise BadConnectionOption("a contract takes the Python library jmespath where the module runs")
        self.contract, self.tenant = contract, tenant
        self.session = tenant.session_to(contract.origin)
        self.known = {name: tenant.params[option] for name, option in OPTIONS.items() if tenant.params.get(option)}
        # Our own proof of who we are goes to the tenant's own host only.
        self.may_sign = origin_of(tenant.session.base_url) == contract.origin

    def offers(self, operation: str) -> bool:
        """Return whether the contract has `operation`."""
        return operation in self.contract.operations

    def can_list(self) -> bool:
        """Return whether the connectors can be listed by the contract, with the session at hand."""
        return self.offers("list") and self.contract.needs("list") <= {*self.known, "skip", "limit"}

    def check(self, operation: str, values: Mapping[str, Any], label: str) -> None:
        """Raise `InvalidInput` if `operation` could not be filled in for `label`; to be called before the first write."""
        missing = self.contract.needs(operation) - set(values) - set(self.known)
        if self.may_sign:
            missing.discard(AUTHORIZATION)
        if self.tenant.context.check_mode:
            # To look what would be done, nobody needs a portal session.
            missing -= set(OPTIONS)
        if not missing:
            return
        named = ", ".join(sorted(OPTIONS.get(name, name) for name in missing))
        raise InvalidInput(
            f"{label}: contract {self.contract.name!r} takes {named} to {operation} it. Nothing was sent"
        )

    def run(self, operation: str, values: Mapping[str, Any], *, only_reads: bool = False) -> dict[str, Any]:
        """Send the requests of `operation`, in order; return the declared fields of all answers.

        Raises `SignInFailed` when the portal session has ended, `Refused` when the platform says no, and `EngineError`
        when an answer is not as declared: then nothing more is sent.
        """
        steps = self.contract.operations[operation]
        filled = {**self.known, **values}
        if AUTHORIZATION in self.contract.needs(operation) and self.may_sign and self.tenant.session.signer:
            filled[AUTHORIZATION] = self.tenant.session.signer.headers()["Authorization"]
        for name in {name for step in steps for name in step.asks_for if GENERATED.fullmatch(name)}:
            filled[name] = generated(name)
        told: dict[str, Any] = {}
        for number, step in enumerate(steps, 1):
            place = f"request {number} of {len(steps)} of {operation}" if len(steps) > 1 else operation
            found = self._send(step, filled, place, only_reads)
            told.update(found)
            filled.update(found)
        return told

    def _send(self, step: Step, values: Mapping[str, Any], place: str, only_reads: bool) -> dict[str, Any]:
        parts = urlsplit(rendered_url(step.url, values))
        body = step.body
        content: dict[str, Any] = {"body": rendered(body, values)} if body is not None else {}
        if encoder_of(body) == FORM:
            content = {"form": rendered(body[FORM], values)}
        headers = {name: str(rendered(value, values)) for name, value in step.headers.items()}
        try:
            answer = self.session.request(
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
            raise SignInFailed(self._ended(str(error))) from None
        if answer.status in SESSION_ENDED and AUTHORIZATION in step.asks_for:
            raise self.tenant.refusal(answer.error(self.tenant.context.redactor.scrub_text))
        self._check_status(step, answer, place)
        return {name: self._field(name, path, answer, place) for name, path in step.fields.items()}

    def _check_status(self, step: Step, answer: Response, place: str) -> None:
        if answer.status in step.statuses:
            return
        error = answer.error(self.tenant.context.redactor.scrub_text)
        if answer.status in SESSION_ENDED:
            raise SignInFailed(self._ended(str(error)))
        if answer.status >= 400 and answer.status not in (404, 405, 410):
            raise Refused(f"{self.tenant.name}: the portal refused {place}. {error}", status="failed")
        expected = ", ".join(map(str, step.statuses))
        raise self._misfit(place, f"{error}, where status {expected} is declared")

    def _field(self, name: str, path: str, answer: Response, place: str) -> Any:
        try:
            value = jmespath.search(path, answer.data)
        except JMESPathError as error:
            raise InvalidInput(
                f"contract {self.contract.name!r}: field {name}: {path!r} is no JMESPath ({error})"
            ) from None
        if value is None:
            got = ", ".join(sorted(map(str, answer.data))) if isinstance(answer.data, Mapping) else "no mapping"
            raise self._misfit(
                place,
                f"{answer.method} {answer.path} -> {answer.status}: the answer lacks {name} ({path}); it has: {got}",
            )
        return value

    def _misfit(self, place: str, what: str) -> EngineError:
        return EngineError(
            f"{self.tenant.name}: contract {self.contract.name!r} no longer fits ({place}). {what}. Nothing more was sent. The portal "
            f"has changed: connect one instance by hand and learn the contract anew"
        )

    def _ended(self, words: str) -> str:
        return (
            f"the portal session has ended or lacks the right. {words.rstrip('.')}. Sign in to {self.contract.origin} again as a Security Administrator "
            f"or Cloud App Security Administrator, and give its mda_portal_cookie and mda_portal_xsrf_token; the latter lives for "
            f"minutes only"
        )


def generated(name: str) -> Any:
    """Return a new value for a placeholder that stands for something new each time."""
    now = datetime.now(timezone.utc)
    if name == "now":
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if name.startswith("now_"):
        return int(now.timestamp() * (1000 if name == "now_ms" else 1))
    return str(uuid.uuid4())
