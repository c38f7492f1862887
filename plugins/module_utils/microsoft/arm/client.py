# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager: paged lists, long-running operations, Resource Graph, refusals with a remedy.

See docs/facts/defender_for_cloud.md#azure-resource-manager.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...ansible_module import Params, TaskContext
from ...engine.errors import NotPermitted, PlatformFailure, Refused
from ...transport.base_url import checked_base_url
from ...transport.errors import AmbiguousResponse, HttpError, SignInFailed
from ...transport.paged_list import PagedList, checked_rows
from ...transport.polling import ProgressLine
from ...transport.responses import Response
from ...transport.session import Session
from ...transport.settings import transport_settings
from ..entra.clouds import DEFAULT_CLOUD, audience, cloud_of
from ..entra.credentials import signer_for
from ..next_link import path_below
from .long_running import link_of, wait_for_operation
from .resource_graph import RESOURCE_GRAPH_PATH, check_complete, graph_page
from .throttled_session import ThrottledSession

PROVIDER = "Microsoft.Security"
RESOURCE_GRAPH_VERSION = "2021-03-01"
RESOURCE_GRAPH_PAGE = 1000
WRITERS = "Security Admin, Contributor or Owner"
ACTIVITY_LOG = "/providers/Microsoft.Insights/eventtypes/management/values"

# (start of the platform's message, remedy). The codes are LIKELY, so they only select the remedy
# (docs/facts/defender_for_cloud.md#resource-manager-errors).
REMEDIES = (
    ("SubscriptionNotFound", "Check the subscription's id, and that the identity has a role on it"),
    ("InvalidSubscriptionId", "Check the subscription's id"),
    ("MissingSubscriptionRegistration", "Register the provider Microsoft.Security on the subscription (Resource providers)"),
    ("Subscription Not Registered", "Register the provider Microsoft.Security on the subscription (Resource providers)"),
    ("NoRegisteredProviderFound", "This cloud or api-version does not have the resource; see api_version where the module has it"),
    ("InvalidApiVersionParameter", "The platform does not know the api-version; see api_version where the module has it"),
    ("InvalidResourceType", "This cloud does not have the resource"),
    ("SubscriptionNotInStandardPlan", "Switch on Defender CSPM there (module mdc_plan)"),
    ("AuthorizationFailed", ""),
)  # fmt: skip


class ArmClient:
    """Resource Manager, as one identity sees it."""

    name = "Defender for Cloud"

    def __init__(self, session: Session, params: Params, context: TaskContext) -> None:
        self.session, self.params, self.context = session, params, context

    @classmethod
    def from_params(cls, params: Params, context: TaskContext) -> ArmClient:
        """Return a client for the connection options; nothing is sent yet."""
        cloud = cloud_of(params)
        root = checked_base_url("azure_arm_url", params.get("azure_arm_url") or cloud.resource_manager)
        context.subject = context.subject or str(
            params.get("azure_subscription_id") or params.get("azure_tenant_id") or root
        )
        # The audience is Resource Manager itself, also behind a gateway.
        signer = signer_for(params, context, audience(cloud.resource_manager))
        session = ThrottledSession(context.progress, root, transport_settings(params), context, signer)
        return cls(session, params, context)

    @property
    def is_commercial(self) -> bool:
        """Whether this is the public cloud, the only one that has the ServiceNow integration.

        See docs/facts/defender_for_cloud.md#clouds-with-the-integration.
        """
        return (self.params.get("azure_cloud") or DEFAULT_CLOUD) == DEFAULT_CLOUD

    # -- reading ------------------------------------------------------------------------------------------------------

    def find(self, path: str, version: str, **query: str) -> dict[str, Any] | None:
        """Return one object, None where it does not exist. Raises `Refused` where its scope does not exist."""
        response = self.call("GET", path, version, query=query, accept=(404,))
        if response.status == 404:
            self._check_scope(response)
            return None
        if not isinstance(response.data, dict):
            # Read as an object that does not exist, it would be created again.
            raise AmbiguousResponse(f"GET {path} -> {response.status}: the response contains no object")
        return _checked(response.data, response)

    def _check_scope(self, response: Response) -> None:
        """Raise `Refused` when a 404 means that the scope, not the object, does not exist."""
        error = response.error(self.context.redactor.scrub_text)
        if any(error.words.startswith(code) for code, _remedy in REMEDIES):
            raise self.refusal(error)

    def rows(self, path: str, version: str, **query: str) -> list[dict[str, Any]]:
        """Return every object of a list, following `nextLink` unchanged.

        See docs/facts/defender_for_cloud.md#lists-of-resource-manager.
        """
        return [row for page in self.pages(path, version, query, is_kept=True) for row in page]

    def pages(
        self,
        path: str,
        version: str,
        query: Mapping[str, str] | None = None,
        *,
        may_be_missing: bool = False,
        is_kept: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield a list page by page, each requested when it is needed. `is_kept`: the caller keeps all rows.

        With `may_be_missing`, the list of a parent that does not exist has no pages; a scope that does not exist is `Refused`.
        """
        response = self.call("GET", path, version, query=query, accept=(404,) if may_be_missing else ())
        if response.status == 404:
            self._check_scope(response)
            return
        pages = PagedList(f"GET {path}", self.session.settings, is_kept)
        while True:
            data = response.data if isinstance(response.data, Mapping) else {}
            rows = checked_rows(data.get("value"), f"GET {path} -> {response.status}")
            pages.add(rows)
            yield [_checked(row, response) for row in rows]
            link = data.get("nextLink")
            if not link:
                return
            pages.go_on(link)
            response = self._send("GET", self.below(link))

    def resource_graph(self, query: str, subscriptions: list[str] | None = None) -> list[dict[str, Any]]:
        """Return every row of a Resource Graph query, page by page. Raises `AmbiguousResponse` when rows are missing.

        See docs/facts/defender_for_cloud.md#resource-graph.
        """
        rows: list[dict[str, Any]] = []
        pages = PagedList(f"POST {RESOURCE_GRAPH_PATH}", self.session.settings)
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": RESOURCE_GRAPH_PAGE}
        while True:
            body = {"query": query, "options": options, **({"subscriptions": subscriptions} if subscriptions else {})}
            data = self.call("POST", RESOURCE_GRAPH_PATH, RESOURCE_GRAPH_VERSION, body=body, only_reads=True).data
            page = graph_page(data)
            pages.add(page)
            rows += page
            token = data.get("$skipToken")
            if not token:
                check_complete(data, len(rows))
                return rows
            pages.go_on(token)
            options = {**options, "$skipToken": token}

    # -- any call -----------------------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        version: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        accept: tuple[int, ...] = (),
        **more: Any,
    ) -> Response:
        """Send one request and return its response, also for a status in `accept`.

        Raises `Refused` or `SignInFailed` with a remedy, and the transport's errors.
        """
        return self._send(
            method, path, query={**(query or {}), "api-version": version}, body=body, accept=accept, **more
        )

    def finish(self, response: Response, what: str, timeout: float = 600.0) -> Any:
        """Wait for the end of the operation that `response` started and return its last body (see `long_running`).

        Warns of one that cannot be followed.
        """
        if response.status == 202 and not link_of(response):
            self.context.warn(
                f"{what}: Resource Manager accepted it without a link to follow (Location), so whether and how it ended is unknown. "
                f"Check it in the portal"
            )
        progress = ProgressLine(self.context.progress)
        return wait_for_operation(response, what, timeout, get=self._follow, progress=progress)

    def _follow(self, link: str) -> Response:
        return self._send("GET", self.below(link), may_be_empty=True)

    def progress_line(self) -> ProgressLine:
        """Return a line of progress that begins with the platform's name."""
        return ProgressLine(lambda text: self.context.progress(f"{self.name}: {text}"))

    def below(self, link: str) -> str:
        """Return the path and query of an absolute `link`; raise `EngineError` for one to another host.

        Behind a gateway, links name the cloud's own address: those are followed through the gateway.
        """
        roots = (self.session.base_url, cloud_of(self.params).resource_manager)
        return path_below(link, roots, "Resource Manager", "azure_arm_url")

    def _send(self, method: str, path: str, *, accept: tuple[int, ...] = (), **more: Any) -> Response:
        try:
            response = self.session.request(method, path, accept_errors=bool(accept), **more)
            if response.status >= 400 and response.status not in accept:
                raise response.error(self.context.redactor.scrub_text)
        except HttpError as error:
            raise self.refusal(error) from None
        return response

    def session_to(self, origin: str) -> Session:
        """Return a session with another host, without a sign-in."""
        return Session(origin, transport_settings(self.params), self.context, None)

    def refusal(self, error: HttpError) -> Exception:
        """Return the exception for a refused call, with a remedy."""
        if error.status == 401:
            return SignInFailed(
                f"Resource Manager refused the sign-in. {error}. The token is for another API or another tenant: check azure_tenant_id, "
                f"azure_cloud and azure_access_token"
            )
        hint = next((remedy for code, remedy in REMEDIES if error.words.startswith(code)), "")
        if error.status == 403 and not hint:
            reads_log = ACTIVITY_LOG in str(error)
            roles = "Reader" if reads_log else WRITERS
            more = "" if reads_log else "; to read, Security Reader is enough"
            hint = f"Give the identity {roles} there (Access control (IAM) > Add role assignment){more}"
        if error.status == 429:
            hint = "Resource Manager is throttling this identity; run again later"
        if not error.is_refusal and not error.words:
            hint = (
                hint
                or "The service failed without a message. Run again later; if it fails again on this scope, make the change in the portal or on a "
                "subscription, or give the request's id to Microsoft's support"
            )
        if not error.is_refusal:
            return PlatformFailure(f"Resource Manager failed the call. {error}{'. ' + hint if hint else ''}")
        kind = NotPermitted if error.status == 403 else Refused
        return kind(f"Resource Manager refused the call. {error}{'. ' + hint if hint else ''}")


def _checked(document: dict[str, Any], response: Response) -> dict[str, Any]:
    """Return an object of a response; raise `AmbiguousResponse` where its `properties` are none."""
    if not isinstance(document.get("properties") or {}, Mapping):
        raise AmbiguousResponse(
            f"{response.method} {response.path} -> {response.status}: the response makes no sense: an object has properties that are no object"
        )
    return document
