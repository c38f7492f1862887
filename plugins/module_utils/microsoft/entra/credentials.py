# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in with Microsoft Entra: a class for each source of tokens (docs/facts/entra.md#sign-in)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from ...ansible_module import Params, TaskContext
from ...transport.base_url import checked_base_url
from ...transport.errors import BadConnectionOption, SignInFailed
from ...transport.responses import Response
from ...transport.session import Session
from ...transport.settings import transport_settings
from ...transport.token_cache import Token, TokenCache, key_of
from . import azure_cli, managed_identity
from .client_certificate import ClientCertificate
from .clouds import audience, cloud_of
from .proofs import ASSERTION, ClientSecret, FederatedToken, Proof
from .tokens import claims_of, token_of

CLIENT_SECRET, CERTIFICATE, FEDERATED, MANAGED_IDENTITY, CLI, TOKEN = (
    "client_secret",
    "certificate",
    "federated",
    "managed_identity",
    "cli",
    "token",
)
NEEDS = {
    TOKEN: ("azure_access_token",),
    CLIENT_SECRET: ("azure_tenant_id", "azure_client_id", "azure_client_secret"),
    CERTIFICATE: ("azure_tenant_id", "azure_client_id", "azure_client_certificate"),
    FEDERATED: ("azure_tenant_id", "azure_client_id", "azure_federated_token_file"),
    MANAGED_IDENTITY: (),
    CLI: (),
}

# For messages only: according to Microsoft the numbers change, and code should rely on `error`.
CAUSES = {
    7000215: "the client secret is wrong. Use the secret's value, not its id (Entra > App registrations > "
    "Certificates & secrets)",
    7000222: "the client secret has expired. Create a new one (Entra > App registrations > Certificates & secrets)",
    700016: "azure_client_id is not an application of this tenant: check azure_client_id and azure_tenant_id",
    90002: "azure_tenant_id is not a tenant of this cloud: check azure_tenant_id and azure_cloud",
    900023: "azure_tenant_id is neither the id nor a domain of a tenant",
    70011: "the scope is unknown in this cloud: check azure_cloud, azure_graph_url and azure_arm_url",
    500011: "the API is unknown in this tenant: check azure_tenant_id, and that the tenant has the service",
    700027: "the certificate is not one of the application's. Upload its public part (Entra > App registrations > "
    "Certificates & secrets > Certificates)",
    700213: "no federated credential of the application matches the token's subject",
    700211: "no federated credential of the application matches the token's issuer",
    700024: "the federated token has expired, or is not valid yet",
}
BY_ERROR = {
    "invalid_client": "the client id, or its secret or certificate, is wrong or has expired",
    "unauthorized_client": "the application is unknown in this tenant, or may not use this grant",
    "invalid_request": "check azure_tenant_id and azure_client_id",
    "invalid_scope": "the API is unknown in this cloud or tenant",
    "invalid_grant": "the federated token was refused",
}


class Source(Protocol):
    """A source of tokens."""

    @property
    def key(self) -> str:
        """What distinguishes it from others. It may contain a secret: digest it."""

    def fetch(self, scope: str) -> Token:
        """Return a new token for `scope` (a resource and `/.default`); raise `SignInFailed`."""


@dataclass
class Application:
    """An application that signs in with a secret, a certificate, or a token of another issuer."""

    session: Session
    tenant: str
    client: str
    proof: Proof

    @property
    def key(self) -> str:
        """The tenant, the application and its proof."""
        return "\0".join((self.session.base_url, self.tenant, self.client, type(self.proof).__name__, self.proof.key))

    def fetch(self, scope: str) -> Token:
        """POST to the token endpoint of the tenant."""
        path = f"/{quote(self.tenant, safe='')}/oauth2/v2.0/token"
        proof = self.proof.form(self.client, f"{self.session.base_url}{path}")
        self.session.caller.redactor.add(proof.get(ASSERTION))
        form = {"grant_type": "client_credentials", "client_id": self.client, "scope": scope, **proof}
        response = self.session.request("POST", path, form=form, signed=False, only_reads=True, accept_errors=True)
        data = response.data if isinstance(response.data, Mapping) else {}
        if response.status >= 400 or not data.get("access_token"):
            raise SignInFailed(self._sign_in_error(response))
        return token_of(data)

    def _sign_in_error(self, response: Response) -> str:
        data = response.data if isinstance(response.data, Mapping) else {}
        numbers = data.get("error_codes") if isinstance(data.get("error_codes"), list) else []
        cause = next((CAUSES[number] for number in numbers or [] if number in CAUSES), "")
        cause = cause or BY_ERROR.get(str(data.get("error")), "")
        words = " ".join(str(response.error(self.session.caller.redactor.scrub_text)).split())
        return f"Entra refused to sign in application {self.client} of tenant {self.tenant}. {words}" + (
            f". Likely cause: {cause}" if cause else ""
        )


@dataclass
class GivenToken:
    """A token from the options: for one API, and without a renewal."""

    text: str

    @property
    def key(self) -> str:
        """The token itself."""
        return self.text

    def fetch(self, scope: str) -> Token:
        """Return the given token for every scope."""
        return Token(self.text, 0.0)


# By source and scope.
TOKENS = TokenCache(renew_before=300.0)


@dataclass
class EntraSigner:
    """Signs requests with a token for `scope`, fetched on first use and again before it ends."""

    source: Source
    scope: str
    context: TaskContext

    def __post_init__(self) -> None:
        self._key = key_of(self.source.key, self.scope)

    def headers(self) -> Mapping[str, str]:
        """Return the bearer header, with a token that has not expired."""
        return {"Authorization": f"Bearer {self._token()}"}

    def renew(self) -> bool:
        """Forget the token that was refused; a given one cannot be renewed."""
        return not isinstance(self.source, GivenToken) and TOKENS.forget(self._key)

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the token about the caller (`oid` is an id in the tenant), unverified."""
        return claims_of(self._token())

    def _token(self) -> str:
        if isinstance(self.source, GivenToken):
            return self.source.text
        token = TOKENS.token(self._key, lambda: self.source.fetch(self.scope))
        self.context.redactor.add(token.text)
        return token.text


def source_name(params: Params) -> str:
    """Return the source in the options; `auto` is the first one whose options are all set.

    Raises `BadConnectionOption` when there is none, or when the selected one lacks an option.
    """
    wanted = str(params.get("azure_auth_source") or "auto")
    if wanted != "auto":
        missing = [option for option in NEEDS[wanted] if not params.get(option)]
        if missing:
            raise BadConnectionOption(f"azure_auth_source {wanted} requires {', '.join(missing)}")
        return wanted
    for name in (TOKEN, CLIENT_SECRET, CERTIFICATE, FEDERATED):
        if all(params.get(option) for option in NEEDS[name]):
            return name
    if managed_identity.is_announced():
        return MANAGED_IDENTITY
    if shutil.which(azure_cli.PROGRAM):
        return CLI
    options = sorted({option for options in NEEDS.values() for option in options})
    given = ", ".join(option for option in options if params.get(option)) or "none"
    raise BadConnectionOption(
        f"missing credentials for Microsoft Entra (set: {given}). Set azure_tenant_id, azure_client_id and "
        f"azure_client_secret (or azure_client_certificate or azure_federated_token_file), or azure_access_token, or "
        f"azure_auth_source: managed_identity on a machine of Azure, or cli after 'az login'"
    )


def may_sign_in(params: Params) -> bool:
    """Return whether the options allow a sign-in with Entra."""
    try:
        return bool(source_name(params))
    except BadConnectionOption:
        return False


def has_credentials(params: Params) -> bool:
    """Return whether the options, or the machine of Azure, have credentials for Entra; an installed program alone says nothing."""
    is_chosen = params.get("azure_auth_source") == CLI
    return may_sign_in(params) and (is_chosen or source_name(params) != CLI)


def source_of(params: Params, context: TaskContext) -> Source:
    """Return the source of tokens for a task's connection options; nothing is sent yet."""
    for option in ("azure_client_secret", "azure_client_certificate_password", "azure_access_token"):
        context.redactor.add(params.get(option))
    name = source_name(params)
    if name == TOKEN:
        return GivenToken(params["azure_access_token"])
    if name == MANAGED_IDENTITY:
        return managed_identity.ManagedIdentity(params, context)
    if name == CLI:
        return azure_cli.AzureCli(params.get("azure_tenant_id") or "", params["timeout"], context)
    proof = _proof_of(name, params)
    return Application(_session_of(params, context), params["azure_tenant_id"], params["azure_client_id"], proof)


def sign_in(params: Params, context: TaskContext, tenant: str, client: str, secret: str) -> None:
    """Sign in as another application than that of the connection options; raise `SignInFailed`."""
    application = Application(_session_of(params, context), tenant, client, ClientSecret(secret))
    context.redactor.add(application.fetch(audience(cloud_of(params).resource_manager)).text)


def _session_of(params: Params, context: TaskContext) -> Session:
    url = checked_base_url("azure_authority_url", params.get("azure_authority_url") or cloud_of(params).authority)
    return Session(url, transport_settings(params), context)


def _proof_of(source: str, params: Params) -> Proof:
    if source == CLIENT_SECRET:
        return ClientSecret(params["azure_client_secret"])
    if source == CERTIFICATE:
        path = os.path.expanduser(params["azure_client_certificate"])
        return ClientCertificate(path, params.get("azure_client_certificate_password") or "")
    return FederatedToken(os.path.expanduser(params["azure_federated_token_file"]))


def signer_for(params: Params, context: TaskContext, scope: str) -> EntraSigner:
    """Return the signer for requests to the API of `scope`."""
    return EntraSigner(source_of(params, context), scope, context)


__all__: list[Any] = [
    "EntraSigner",
    "Source",
    "has_credentials",
    "may_sign_in",
    "sign_in",
    "signer_for",
    "source_name",
    "source_of",
]
