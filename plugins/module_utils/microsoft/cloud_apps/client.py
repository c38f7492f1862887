# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client of a Defender for Cloud Apps tenant: lists, pages, refusals with their remedy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ...ansible_module import Params, TaskContext
from ...engine.errors import PlatformFailure, Refused
from ...transport.errors import AmbiguousResponse, BadConnectionOption, HttpError, SignInFailed
from ...transport.responses import Response
from ...transport.session import Session, Signer, checked_base_url
from ...transport.settings import transport_settings
from ..entra.credentials import signer_for
from ..next_link import check_new
from .rate_limit import PAUSE, RateLimit

# The audience of the API in every cloud (docs/facts/defender_for_cloud_apps.md#api-sign-in).
SCOPE = "05a65629-4c1b-48c1-a78b-804c4abdd4af/.default"
API, PORTAL = "/api/v1", "/cas/api/v1"
PAGE_SIZE = 100
MIN_SCAN_SIZE = 500
MAX_SCAN_SIZE = 5000
READ_PERMISSION = "Investigation.read"
GRANT = (
    "Grant it under Entra > App registrations > (the application) > API permissions > Add a permission > APIs my organization "
    "uses > Microsoft Cloud App Security > Application permissions, then choose Grant admin consent"
)
PORTAL_RIGHTS = (
    "No application permission covers this route. Set mda_api_token to a token issued by a Security Administrator or Cloud App Security "
    "Administrator (Settings > Cloud Apps > System > API tokens)"
)


class RateLimitedSession(Session):
    """Keeps to the rate limit before each attempt, and waits for a minute after a 429."""

    def __init__(self, rate_limit: RateLimit, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.rate_limit = rate_limit

    def _send(self, *arguments: Any, **more: Any) -> Response:
        self.rate_limit.acquire()
        response = super()._send(*arguments, **more)
        if response.status != 429:
            return response
        headers = {"retry-after": str(PAUSE), **{name: value for name, value in response.headers.items() if value}}
        self.rate_limit.block(PAUSE)
        return replace(response, headers=headers)


class ApiToken:
    """Signs in with an API token of the portal, the older method."""

    def __init__(self, token: str) -> None:
        self.token = token

    def headers(self) -> Mapping[str, str]:
        """Return the authorization header (docs/facts/defender_for_cloud_apps.md#api-sign-in)."""
        return {"Authorization": f"Token {self.token}"}

    def renew(self) -> bool:
        """Return False: there is no other token."""
        return False


class CloudAppsClient:
    """One tenant, as one identity."""

    def __init__(self, session: RateLimitedSession, params: Params, context: TaskContext) -> None:
        self.name = short_name(session.base_url)
        self.session, self.params, self.context = session, params, context

    @classmethod
    def from_params(cls, params: Params, context: TaskContext) -> CloudAppsClient:
        """Return a client for the connection options of a task; nothing is sent yet."""
        if not params.get("mda_url"):
            raise BadConnectionOption(
                "mda_url is required: the API URL that the portal shows under Settings > Cloud Apps > System > About, such "
                "as https://acme.us3.portal.cloudappsecurity.com"
            )
        url = checked_base_url("mda_url", params["mda_url"])
        context.subject = short_name(url)
        for option in ("mda_api_token", "mda_portal_cookie", "mda_portal_xsrf_token"):
            context.redactor.add(params.get(option))
        rate_limit = RateLimit(url, lambda text: context.progress(f"{short_name(url)}: {text}"))
        token = params.get("mda_api_token")
        signer: Signer = ApiToken(token) if token else signer_for(params, context, SCOPE)
        return cls(RateLimitedSession(rate_limit, url, transport_settings(params), context, signer), params, context)

    @property
    def has_api_token(self) -> bool:
        """Whether the session signs in with an API token of the portal."""
        return isinstance(self.session.signer, ApiToken)

    # -- calls --------------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, *, body: Any = None, permission: str = READ_PERMISSION, **more: Any) -> Any:
        """Send one request and return the decoded response. `permission` is the required one, "" if no permission covers it.

        Raises `Refused` or `SignInFailed` with a remedy, and the errors of `transport.errors`.
        """
        try:
            return self.session.request(method, path, body=body, **more).data
        except HttpError as error:
            raise self.refusal(error, permission) from None

    def rows(self, path: str, filters: Mapping[str, Any], limit: int = 0, **more: Any) -> list[dict[str, Any]]:
        """Return up to `limit` (0: all) rows of a list, in pages of a hundred.

        See docs/facts/defender_for_cloud_apps.md#api-lists.
        """
        rows: list[dict[str, Any]] = []
        ordered: dict[str, Any] = {name: more.pop(name) for name in ("sortField", "sortDirection") if name in more}
        while True:
            size = min(PAGE_SIZE, limit - len(rows)) if limit else PAGE_SIZE
            body = {"filters": dict(filters), "skip": len(rows), "limit": size, **ordered}
            data = self.call("POST", path, body=body, only_reads=True, **more)
            page = records_in(data, path)
            check_page(page, rows, path)
            rows += page
            if (limit and len(rows) >= limit) or not has_next(data, page, len(rows), path):
                return rows

    def scan(self, path: str, filters: Mapping[str, Any], limit: int = 0) -> list[dict[str, Any]]:
        """Return up to `limit` (0: all) rows of a large list, in as few calls as possible.

        See docs/facts/defender_for_cloud_apps.md#api-lists.
        """
        rows: list[dict[str, Any]] = []
        seen: set[str] = set()
        size = max(MIN_SCAN_SIZE, min(limit or MAX_SCAN_SIZE, MAX_SCAN_SIZE))
        wanted: Any = dict(filters)
        while wanted is not None:
            data = self.call("POST", path, body={"filters": wanted, "isScan": True, "limit": size}, only_reads=True)
            rows += records_in(data, path)
            more = isinstance(data, Mapping) and data.get("hasNext") and not (limit and len(rows) >= limit)
            wanted = data.get("nextQueryFilters") if more else None
            if more and not wanted:
                raise AmbiguousResponse(
                    f"POST {path}: the list is incomplete: the filters of the next page are missing"
                )
            if more:
                check_new(json.dumps(wanted, sort_keys=True), seen, f"POST {path}")
        return rows[:limit] if limit else rows

    def session_to(self, origin: str) -> Session:
        """Return a session with another host, such as the portal; its calls count against the same rate limit."""
        return RateLimitedSession(self.session.rate_limit, origin, transport_settings(self.params), self.context, None)

    def refusal(self, error: HttpError, permission: str = "") -> Exception:
        """Return the exception for a refused call, with a remedy. `permission` is the required one, "" if none covers it."""
        if error.status == 401:
            return SignInFailed(f"{self.name} refused the sign-in. {error}. {self._sign_in_remedy()}")
        hint = ""
        if error.status == 403:
            hint = PORTAL_RIGHTS if not permission else f"The call requires the permission {permission}. {GRANT}"
            if self.has_api_token and permission:
                hint = (
                    "The user who issued mda_api_token lacks the permission. Issue a token as a Security Administrator"
                )
        if error.status == 429:
            hint = "The tenant accepts 30 calls per minute from all clients together. Run again later"
        if not error.is_refusal:
            return PlatformFailure(f"{self.name} failed the call. {error}{'. ' + hint if hint else ''}")
        return Refused(f"{self.name} refused the call. {error}{'. ' + hint if hint else ''}")

    def _sign_in_remedy(self) -> str:
        if self.has_api_token:
            return (
                "mda_api_token is wrong, was revoked, or belongs to another tenant than mda_url. Issue one under Settings > Cloud "
                "Apps > System > API tokens"
            )
        return (
            "The tenant does not accept the token of azure_tenant_id: mda_url may belong to another tenant, or azure_access_token was "
            f"issued for another API than {SCOPE.split('/', 1)[0]}"
        )


def records_in(data: Any, path: str) -> list[dict[str, Any]]:
    """Return the rows of a list response: its `data`, or the response itself if it is a list.

    Raises `AmbiguousResponse` for any other response: taken for "no rows", everything would be created again.
    """
    rows = data.get("data") if isinstance(data, Mapping) else data
    if not isinstance(rows, list):
        raise AmbiguousResponse(f"{path}: the response contains no list")
    return [row for row in rows if isinstance(row, dict)]


def check_page(page: list[dict[str, Any]], known: list[dict[str, Any]], path: str) -> None:
    """Raise `AmbiguousResponse` for a page that repeats the one before: the platform ignored where it was to begin."""
    if page and known[-len(page) :] == page:
        raise AmbiguousResponse(f"{path}: the list is incomplete: the platform returned a page a second time")


def has_next(data: Any, page: list[dict[str, Any]], received: int, path: str) -> bool:
    """Return whether a further page follows `page`; raise `AmbiguousResponse` when the list ends before its total."""
    total = data.get("total") if isinstance(data, Mapping) else None
    missing = isinstance(total, int) and received < total
    if not page and missing:
        raise AmbiguousResponse(f"{path}: the list is incomplete: {received} of {total} rows were returned")
    return bool(page) and isinstance(data, Mapping) and bool(data.get("hasNext") or missing)


def short_name(url: str) -> str:
    """Return the short name of the tenant at `url`: its host without the vendor's part, with a gateway's path."""
    parts = urlsplit(url)
    host = parts.netloc.split(".portal.cloudappsecurity", 1)[0]
    return f"{host}{parts.path}"
