# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client of a Defender for Cloud Apps tenant: lists, pages, refusals with their remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ...ansible_module import Params, TaskContext
from ...engine.errors import NotPermitted, PlatformFailure, Refused
from ...transport.base_url import checked_base_url
from ...transport.errors import AmbiguousResponse, BadConnectionOption, HttpError, SignInFailed
from ...transport.paged_list import PagedList, records_in
from ...transport.responses import Response
from ...transport.session import Session, Signer
from ...transport.settings import transport_settings
from ..entra.credentials import has_credentials, signer_for
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
NEW_TOKEN = "a token issued by a Security Administrator or Cloud App Security Administrator (Settings > Cloud Apps > System > API tokens)"
PORTAL_RIGHTS = f"No application permission covers this route. Set mda_api_token to {NEW_TOKEN}"
TOKEN_REMEDY = "is wrong, was revoked, or belongs to another tenant than mda_url. Issue one under Settings > Cloud Apps > System > API tokens"
# Documented reads accept a token of Entra as well (docs/facts/defender_for_cloud_apps.md#sign-in-by-route).
LEGACY_TOKEN = (
    "mda_api_token is a legacy API token, whose end Microsoft has announced without a date. Activities, accounts and IP ranges accept the "
    "azure_* options instead; only the list of connectors and policies require the token"
)


class RateLimitedSession(Session):
    """Keeps to the rate limit before each attempt, and waits for a minute after a 429."""

    def __init__(self, rate_limit: RateLimit, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.rate_limit = rate_limit

    def _send(self, *arguments: Any, **more: Any) -> Response:
        self.rate_limit.acquire()
        response = super()._send(*arguments, **more)
        if response.status == 401 and isinstance(self.signer, ApiToken):
            self.signer.note_refusal(str(response.error(self.caller.redactor.scrub_text)))
        if response.status != 429:
            return response
        headers = {"retry-after": str(PAUSE), **{name: value for name, value in response.headers.items() if value}}
        self.rate_limit.block(PAUSE)
        return replace(response, headers=headers)


class ApiToken:
    """Signs in with an API token of the portal, the older method; with Entra, if it can, once the token was refused.

    `refused` are the words of the platform that refused the token. `entra` takes them and returns the signer for Entra; None without
    credentials for it.
    """

    def __init__(self, token: str, entra: Callable[[str], Signer] | None = None) -> None:
        self.token, self.entra, self.refused = token, entra, ""
        self._other: Signer | None = None

    def headers(self) -> Mapping[str, str]:
        """Return the authorization header (docs/facts/defender_for_cloud_apps.md#api-sign-in)."""
        return self._other.headers() if self._other else {"Authorization": f"Token {self.token}"}

    def note_refusal(self, words: str) -> None:
        """Note how the platform refused the token."""
        self.refused = self.refused or words

    def renew(self) -> bool:
        """Sign in with Entra from now on; return False if there are no credentials for that."""
        if self._other:
            return self._other.renew()
        self._other = self.entra(self.refused) if self.entra else None
        return self._other is not None

    @property
    def is_in_use(self) -> bool:
        """Whether requests are signed with the token."""
        return self._other is None


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
        if token:
            context.warn(LEGACY_TOKEN)

        def use_entra(words: str) -> Signer:
            context.warn(
                f"{_refused_token(short_name(url), words)}. The azure_* credentials are used instead, as far as they go"
            )
            return signer_for(params, context, SCOPE)

        can_use_entra = bool(token) and has_credentials(params)
        signer: Signer = (
            ApiToken(token, use_entra if can_use_entra else None) if token else signer_for(params, context, SCOPE)
        )
        return cls(RateLimitedSession(rate_limit, url, transport_settings(params), context, signer), params, context)

    @property
    def has_api_token(self) -> bool:
        """Whether the session signs in with an API token of the portal."""
        return isinstance(self.session.signer, ApiToken) and self.session.signer.is_in_use

    @property
    def refused_token(self) -> str:
        """What is to be said of an API token that was refused, with the platform's words; "" if none was."""
        words = self.session.signer.refused if isinstance(self.session.signer, ApiToken) else ""
        return _refused_token(self.name, words) if words else ""

    def list_remedy(self) -> str:
        """Return what to do so that the connectors can be listed."""
        if self.refused_token:
            return self.refused_token
        other = "give a contract with the operation list and the portal session that it requires"
        if self.has_api_token:
            return f"Set mda_api_token to {NEW_TOKEN}, or {other}"
        return f"The azure_* credentials do not open it: set mda_api_token to {NEW_TOKEN}, or {other}"

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
        pages = PagedList(f"POST {path}", self.session.settings)
        while True:
            size = min(PAGE_SIZE, limit - len(rows)) if limit else PAGE_SIZE
            body = {"filters": dict(filters), "skip": len(rows), "limit": size, **ordered}
            data = self.call("POST", path, body=body, only_reads=True, **more)
            page = records_in(data, path)
            pages.add(page)
            rows += page
            if (limit and len(rows) >= limit) or not has_next(data, page, len(rows), path):
                return rows
            pages.go_on()

    def scan(self, path: str, filters: Mapping[str, Any], limit: int = 0) -> list[dict[str, Any]]:
        """Return up to `limit` (0: all) rows of a large list, in as few calls as possible.

        See docs/facts/defender_for_cloud_apps.md#api-lists.
        """
        rows: list[dict[str, Any]] = []
        pages = PagedList(f"POST {path}", self.session.settings)
        size = max(MIN_SCAN_SIZE, min(limit or MAX_SCAN_SIZE, MAX_SCAN_SIZE))
        wanted: Any = dict(filters)
        while wanted is not None:
            data = self.call("POST", path, body={"filters": wanted, "isScan": True, "limit": size}, only_reads=True)
            page = records_in(data, path)
            pages.add(page)
            rows += page
            more = isinstance(data, Mapping) and data.get("hasNext") and not (limit and len(rows) >= limit)
            wanted = data.get("nextQueryFilters") if more else None
            if more and not wanted:
                raise AmbiguousResponse(
                    f"POST {path}: the list is incomplete: the filters of the next page are missing"
                )
            if more:
                pages.go_on(json.dumps(wanted, sort_keys=True))
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
            hint = f"The call requires the permission {permission}. {GRANT}" if permission else PORTAL_RIGHTS
            if self.refused_token:
                hint = f"{self.refused_token}. {hint}" if permission else self.refused_token
            if self.has_api_token and permission:
                hint = (
                    "The user who issued mda_api_token lacks the permission. Issue a token as a Security Administrator"
                )
        if error.status == 429:
            hint = "The tenant accepts 30 calls per minute from all clients together. Run again later"
        if not error.is_refusal:
            return PlatformFailure(f"{self.name} failed the call. {error}{'. ' + hint if hint else ''}")
        kind = NotPermitted if error.status == 403 else Refused
        return kind(f"{self.name} refused the call. {error}{'. ' + hint if hint else ''}")

    def _sign_in_remedy(self) -> str:
        if self.has_api_token:
            return f"mda_api_token {TOKEN_REMEDY}"
        refused = f"{self.refused_token}. " if self.refused_token else ""
        return refused + (
            "The tenant does not accept the token of azure_tenant_id: mda_url may belong to another tenant, or azure_access_token was "
            f"issued for another API than {SCOPE.split('/', 1)[0]}"
        )


def has_next(data: Any, page: list[dict[str, Any]], received: int, path: str) -> bool:
    """Return whether a further page follows `page`; raise `AmbiguousResponse` when the list ends before its total."""
    total = data.get("total") if isinstance(data, Mapping) else None
    missing = isinstance(total, int) and received < total
    if not page and missing:
        raise AmbiguousResponse(f"{path}: the list is incomplete: {received} of {total} rows were returned")
    return bool(page) and isinstance(data, Mapping) and bool(data.get("hasNext") or missing)


def _refused_token(tenant: str, words: str) -> str:
    return f"{tenant} refused mda_api_token ({words}), which {TOKEN_REMEDY}"


def short_name(url: str) -> str:
    """Return the short name of the tenant at `url`: its host without the vendor's part, with a gateway's path."""
    parts = urlsplit(url)
    host = parts.netloc.split(".portal.cloudappsecurity", 1)[0]
    return f"{host}{parts.path}"
