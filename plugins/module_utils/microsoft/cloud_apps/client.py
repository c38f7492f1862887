# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant of Defender for Cloud Apps: lists, pages, refusals in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ...ansible_module import Params, TaskContext
from ...engine.errors import Refused
from ...transport.errors import BadConnectionOption, HttpError, SignInFailed
from ...transport.responses import Response
from ...transport.session import Session, Signer, checked_base_url
from ...transport.settings import transport_settings
from ..entra.credentials import signer_for
from .rate_limit import PAUSE, RateLimit

# The audience of the API in every cloud (docs/facts/defender_for_cloud_apps.md#api-sign-in).
SCOPE = "05a65629-4c1b-48c1-a78b-804c4abdd4af/.default"
API, PORTAL = "/api/v1", "/cas/api/v1"
PAGE = 100
SCAN_PAGE = 500
MAX_SCAN_PAGE = 5000
READ_PERMISSION = "Investigation.read"
GRANT = (
    "Grant it under Entra > App registrations > (the application) > API permissions > Add a permission > APIs my organization "
    "uses > Microsoft Cloud App Security > Application permissions, then choose Grant admin consent"
)
PORTAL_RIGHTS = (
    "No application permission covers this route. It takes mda_api_token, issued by a Security Administrator or Cloud App Security "
    "Administrator (Settings > Cloud Apps > System > API tokens)"
)


class RateLimitedSession(Session):
    """Waits for its turn before each attempt, and for a minute after a refusal for being too fast."""

    def __init__(self, throttle: RateLimit, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.throttle = throttle

    def _send(self, *arguments: Any, **more: Any) -> Response:
        self.throttle.take()
        answer = super()._send(*arguments, **more)
        if answer.status != 429:
            return answer
        headers = {"retry-after": str(PAUSE), **{name: value for name, value in answer.headers.items() if value}}
        self.throttle.hold(PAUSE)
        return replace(answer, headers=headers)


class FixedToken:
    """The older way to sign in: an API token of the portal."""

    def __init__(self, token: str) -> None:
        self.token = token

    def headers(self) -> Mapping[str, str]:
        """Return the header that signs in (docs/facts/defender_for_cloud_apps.md#api-sign-in)."""
        return {"Authorization": f"Token {self.token}"}

    def renew(self) -> bool:
        """Return False: there is no other token."""
        return False


class CloudAppsClient:
    """One tenant, as one identity sees it."""

    def __init__(self, session: RateLimitedSession, params: Params, context: TaskContext) -> None:
        self.name = short_name(session.base_url)
        self.session, self.params, self.context = session, params, context

    @classmethod
    def from_params(cls, params: Params, context: TaskContext) -> CloudAppsClient:
        """Return the tenant that the connection options describe; nothing is sent yet."""
        if not params.get("mda_url"):
            raise BadConnectionOption(
                "mda_url is required: the API URL that the portal shows under Settings > Cloud Apps > System > About, such "
                "as https://acme.us3.portal.cloudappsecurity.com"
            )
        url = checked_base_url("mda_url", params["mda_url"])
        context.subject = short_name(url)
        for option in ("mda_api_token", "mda_portal_cookie", "mda_portal_xsrf_token"):
            context.redactor.add(params.get(option))
        throttle = RateLimit(url, lambda text: context.progress(f"{short_name(url)}: {text}"))
        token = params.get("mda_api_token")
        signer: Signer = FixedToken(token) if token else signer_for(params, context, SCOPE)
        return cls(RateLimitedSession(throttle, url, transport_settings(params), context, signer), params, context)

    @property
    def has_api_token(self) -> bool:
        """Whether we sign in with an API token of the portal."""
        return isinstance(self.session.signer, FixedToken)

    # -- calls --------------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, *, body: Any = None, permission: str = READ_PERMISSION, **more: Any) -> Any:
        """Send one request and return the decoded answer. `permission` is what it takes, "" where none covers it.

        Raises `Refused` or `SignInFailed` with what to do, and the transport's errors.
        """
        try:
            return self.session.request(method, path, body=body, **more).data
        except HttpError as error:
            raise self.refusal(error, permission) from None

    def grid(self, path: str, filters: Mapping[str, Any], limit: int = 0, **more: Any) -> list[dict[str, Any]]:
        """Return up to `limit` (0: all) rows, in pages of a hundred.

        See docs/facts/defender_for_cloud_apps.md#api-lists.
        """
        rows: list[dict[str, Any]] = []
        ordered: dict[str, Any] = {name: more.pop(name) for name in ("sortField", "sortDirection") if name in more}
        while True:
            size = min(PAGE, limit - len(rows)) if limit else PAGE
            body = {"filters": dict(filters), "skip": len(rows), "limit": size, **ordered}
            data = self.call("POST", path, body=body, only_reads=True, **more)
            page = records_of(data)
            rows += page
            if not page or (limit and len(rows) >= limit) or not (isinstance(data, Mapping) and data.get("hasNext")):
                return rows

    def scan(self, path: str, filters: Mapping[str, Any], limit: int = 0) -> list[dict[str, Any]]:
        """Return up to `limit` (0: all) rows of a large set, in as few calls as can be.

        See docs/facts/defender_for_cloud_apps.md#api-lists.
        """
        rows: list[dict[str, Any]] = []
        size = max(SCAN_PAGE, min(limit or MAX_SCAN_PAGE, MAX_SCAN_PAGE))
        wanted: Any = dict(filters)
        while wanted:
            data = self.call("POST", path, body={"filters": wanted, "isScan": True, "limit": size}, only_reads=True)
            rows += records_of(data)
            more = isinstance(data, Mapping) and data.get("hasNext") and not (limit and len(rows) >= limit)
            wanted = data.get("nextQueryFilters") if more else None
        return rows[:limit] if limit else rows

    def session_to(self, origin: str) -> Session:
        """Return a session with another host, such as the portal; its calls count like the tenant's own."""
        return RateLimitedSession(self.session.throttle, origin, transport_settings(self.params), self.context, None)

    def refusal(self, error: HttpError, permission: str = "") -> Exception:
        """Return what a refused call means, and what to do. `permission` is what it takes, "" where none covers it."""
        if error.status == 401:
            return SignInFailed(f"{self.name} refused the sign-in. {error}. {self._who_is_refused()}")
        hint = ""
        if error.status == 403:
            hint = PORTAL_RIGHTS if not permission else f"It takes the permission {permission}. {GRANT}"
            if self.has_api_token and permission:
                hint = "The user who issued mda_api_token has no right to this; issue one as a Security Administrator"
        if error.status == 429:
            hint = "The tenant answers 30 calls a minute over all its clients; run again later"
        return Refused(f"{self.name} refused the call. {error}{'. ' + hint if hint else ''}")

    def _who_is_refused(self) -> str:
        if self.has_api_token:
            return (
                "mda_api_token is wrong, was revoked, or belongs to another tenant than mda_url; issue one under Settings > Cloud "
                "Apps > System > API tokens"
            )
        return (
            "The token of azure_tenant_id is not accepted here: mda_url may belong to another tenant, or azure_access_token was "
            f"issued for another API than {SCOPE.split('/', 1)[0]}"
        )


def records_of(data: Any) -> list[dict[str, Any]]:
    """Return the rows of a list: the answer's `data`, or the answer itself where it is a list."""
    rows = data.get("data") if isinstance(data, Mapping) else data
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def short_name(url: str) -> str:
    """Return what people call the tenant at `url`: its host without the vendor's part, with a gateway's path."""
    parts = urlsplit(url)
    host = parts.netloc.split(".portal.cloudappsecurity", 1)[0]
    return f"{host}{parts.path}"
