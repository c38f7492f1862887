# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists, pages and refusals of Cloud Apps.

See docs/facts/defender_for_cloud_apps.md#api-lists, docs/facts/defender_for_cloud_apps.md#api-errors.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import PlatformFailure, Refused
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps import CloudAppsClient
from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.activities import (
    read_activities,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.errors import (
    AmbiguousResponse,
    BadConnectionOption,
    SignInFailed,
)
from tests.unit.plugins.module_utils.conftest import Clock
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer


def listing(rows: int, **more: object) -> Reply:
    return answer({"data": [{"_id": str(n)} for n in range(rows)], **more})


def test_a_missing_tenant_address_is_reported_with_where_to_find_it(tenant_of: Callable[..., CloudAppsClient]) -> None:
    with pytest.raises(BadConnectionOption, match="the API URL that the portal shows under Settings > Cloud Apps"):
        tenant_of(mda_url=None)


def test_an_api_token_goes_with_every_call(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(listing(0))
    tenant.rows("/api/v1/subnet/", {})
    (request,) = server.received
    assert request.path == "/api/v1/subnet/"
    assert request.headers["authorization"] == "Token legacy-t0ken-text"


def test_without_one_entra_signs_in_for_the_audience_of_cloud_apps(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient]
) -> None:
    def entra(request: Received) -> Reply:
        return answer({"access_token": "b3arer-text", "expires_in": 60}) if "oauth2" in request.path else listing(0)

    server.answers_by(entra)
    given = {"azure_tenant_id": "t", "azure_client_id": "c", "azure_client_secret": "s", "mda_api_token": None}
    tenant_of(**given, azure_authority_url=server.url).rows("/api/v1/subnet/", {})
    assert server.received[0].form["scope"] == "05a65629-4c1b-48c1-a78b-804c4abdd4af/.default"
    assert server.received[1].headers["authorization"] == "Bearer b3arer-text"


class Tenant:
    """Plays a tenant whose API tokens are revoked, and Entra, which issues tokens that it accepts."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        server.answers_by(self._answer)

    def _answer(self, request: Received) -> Reply:
        if "oauth2" in request.path:
            return answer({"access_token": "b3arer-text", "expires_in": 600})
        if request.headers["authorization"].startswith("Token"):
            return answer({"detail": "Invalid token"}, 401)
        return answer({}, 403) if request.path.startswith("/cas") else listing(1)

    @property
    def calls(self) -> list[str]:
        """How each request to the tenant was signed."""
        return [r.headers["authorization"].partition(" ")[0] for r in self.server.received if "oauth2" not in r.path]


AZURE = {"azure_tenant_id": "t", "azure_client_id": "c", "azure_client_secret": "s"}


def test_what_entra_opens_is_read_where_the_api_token_was_revoked(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient], context: TaskContext
) -> None:
    played = Tenant(server)
    tenant = tenant_of(**AZURE, azure_authority_url=server.url)
    assert tenant.rows("/api/v1/activities/", {}) == tenant.rows("/api/v1/subnet/", {})
    assert played.calls == ["Token", "Bearer", "Bearer"], "the token is tried once"
    (warning,) = [words for words in context.warnings if "refused" in words]
    assert (
        "refused mda_api_token (POST /api/v1/activities/ -> 401 Invalid token), which is wrong, was revoked" in warning
    )
    assert "The azure_* credentials are used instead" in warning
    with pytest.raises(Refused, match="refused mda_api_token .*401 Invalid token.* Issue one under Settings") as caught:
        tenant.rows("/cas/api/v1/policies/", {}, permission="")
    assert "Set mda_api_token" not in str(caught.value)


def test_an_installed_program_is_no_reason_to_sign_in_with_entra(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/az")
    Tenant(server)
    with pytest.raises(SignInFailed, match="mda_api_token is wrong, was revoked"):
        tenant_of().rows("/api/v1/activities/", {})


def test_where_entra_is_refused_as_well_both_are_named(
    server: Loopback, tenant_of: Callable[..., CloudAppsClient]
) -> None:
    server.answers(answer({"detail": "Invalid token"}, 401))
    with pytest.raises(
        SignInFailed, match="refused mda_api_token .* may belong to another tenant, or azure_access_token"
    ):
        tenant_of(azure_access_token="b3arer-text").rows("/api/v1/activities/", {})


def test_a_grid_is_read_page_by_page(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(listing(100, hasNext=True), listing(3, hasNext=False))
    assert len(tenant.rows("/api/v1/entities/", {"app": {"eq": [14509]}})) == 103
    assert [(r.json["skip"], r.json["limit"]) for r in server.received] == [(0, 100), (100, 100)]


def test_a_few_activities_are_one_call_newest_first(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(listing(3, hasNext=True))
    found, complete = read_activities(tenant, 14509, 1, 2)
    assert (len(found), complete) == (2, False)
    (request,) = server.received
    assert request.json == {
        "filters": {"service": {"eq": [14509]}, "date": {"gte_ndays": 1}},
        "skip": 0,
        "limit": 3,
        "sortField": "date",
        "sortDirection": "desc",
    }


def test_many_activities_are_scanned(server: Loopback, tenant: CloudAppsClient) -> None:
    following = {"service": {"eq": [14509]}, "date": {"lte": 5}}
    server.answers(listing(500, hasNext=True, nextQueryFilters=following), listing(20, hasNext=False))
    found, complete = read_activities(tenant, 14509, 1, 0)
    assert (len(found), complete) == (520, True)
    assert [r.json["filters"] for r in server.received][1] == following
    assert all(r.json["isScan"] is True and r.json["limit"] == 5000 for r in server.received)


def test_a_bare_refusal_for_speed_is_waited_out_for_a_minute(
    server: Loopback, tenant: CloudAppsClient, clock: Clock
) -> None:
    server.answers(answer({"detail": "throttled"}, 429), listing(1))
    assert len(tenant.rows("/api/v1/subnet/", {})) == 1
    assert sum(clock.naps) == pytest.approx(60, abs=1)


def test_the_tenants_own_word_on_how_long_counts(server: Loopback, tenant: CloudAppsClient, clock: Clock) -> None:
    server.answers(answer({}, 429, retry_after="7"), listing(1))
    tenant.rows("/api/v1/subnet/", {})
    assert clock.naps[0] == 7


def test_every_attempt_takes_its_turn(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(answer({}, 503))
    with pytest.raises(PlatformFailure):
        tenant.rows("/api/v1/subnet/", {})
    assert len(server.received) == 2
    assert tenant.session.rate_limit.file.read_text().count(".") == 2


@pytest.mark.parametrize(
    ("status", "options", "kind", "reported"),
    [
        (401, {}, SignInFailed, "mda_api_token is wrong, was revoked, or belongs to another tenant"),
        (403, {}, Refused, "Issue a token as a Security Administrator"),
        (
            403,
            {"mda_api_token": None, "azure_access_token": "b3arer-text"},
            Refused,
            "the permission Investigation.read",
        ),
        (
            401,
            {"mda_api_token": None, "azure_access_token": "b3arer-text"},
            SignInFailed,
            "may belong to another tenant",
        ),
    ],
)
def test_a_refusal_reports_what_is_missing(
    server: Loopback,
    tenant_of: Callable[..., CloudAppsClient],
    status: int,
    options: dict[str, object],
    kind: type[Exception],
    reported: str,
) -> None:
    server.answers(answer({"detail": "Insufficient role based permissions"}, status))
    with pytest.raises(kind, match=reported):
        tenant_of(**options).rows("/api/v1/activities/", {})


@pytest.mark.parametrize("given", [{}, {"data": None}, {"data": {}}, "text", 7])
@pytest.mark.parametrize("read", [CloudAppsClient.rows, CloudAppsClient.scan])
def test_an_answer_without_a_list_is_not_taken_for_an_empty_one(
    server: Loopback, tenant: CloudAppsClient, given: object, read: Callable[..., object]
) -> None:
    server.answers(answer(given))
    with pytest.raises(AmbiguousResponse, match="the response contains no list"):
        read(tenant, "/api/v1/subnet/", {})


def test_no_answer_is_not_taken_for_an_empty_list(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(Reply(body=b"null", headers={"Content-Type": "application/json"}))
    with pytest.raises(AmbiguousResponse, match="the response contains no list"):
        tenant.rows("/api/v1/subnet/", {})


def test_a_list_that_ends_before_its_total_is_incomplete(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(listing(1, total=3, hasNext=False), listing(0, total=3, hasNext=False))
    with pytest.raises(AmbiguousResponse, match="incomplete: 1 of 3 rows"):
        tenant.rows("/api/v1/subnet/", {})


def test_a_page_that_comes_twice_is_no_end(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(listing(100, hasNext=True))
    with pytest.raises(AmbiguousResponse, match="incomplete.* a page a second time"):
        tenant.rows("/api/v1/subnet/", {})


@pytest.mark.parametrize("following", [{}, {"nextQueryFilters": {"created": 1}}])
def test_a_scan_that_leads_nowhere_is_incomplete(
    server: Loopback, tenant: CloudAppsClient, following: dict[str, object]
) -> None:
    server.answers(listing(500, hasNext=True, **following))
    with pytest.raises(AmbiguousResponse, match="incomplete"):
        tenant.scan("/api/v1/activities/", {})


@pytest.mark.parametrize("status", [500, 503])
def test_a_failure_of_the_tenant_is_not_a_refusal(server: Loopback, tenant: CloudAppsClient, status: int) -> None:
    server.answers(answer({"detail": "busy"}, status))
    with pytest.raises(PlatformFailure, match=f"failed the call.* -> {status}"):
        tenant.rows("/api/v1/subnet/", {})


def test_the_tenants_own_words_about_a_token_are_shown(server: Loopback, tenant: CloudAppsClient) -> None:
    server.answers(answer({"detail": "Unknown token, or its owner left"}, 401))
    with pytest.raises(SignInFailed, match="401 Unknown token, or its owner left"):
        tenant.rows("/api/v1/subnet/", {})
