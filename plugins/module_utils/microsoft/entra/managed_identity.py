# SPDX-License-Identifier: GPL-3.0-or-later
"""A token for the managed identity of the machine (docs/facts/entra.md#managed-identity)."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ...ansible_module import Params, TaskContext
from ...transport.errors import HttpError, SignInFailed, TransportError
from ...transport.session import Session
from ...transport.settings import transport_settings
from ...transport.token_cache import Token
from .tokens import token_of

# The same on every virtual machine of Azure. It is a link-local address, so plain http stays on the host.
METADATA_SERVICE = "http://169.254.169.254"
METADATA_PATH = "/metadata/identity/oauth2/token"
METADATA_VERSION = "2018-02-01"
# The form of App Service and of Azure Arc: LIKELY, not confirmed.
APP_SERVICE_VERSION = "2019-08-01"


def is_announced() -> bool:
    """Return whether the environment names an identity endpoint, as in App Service."""
    return bool(os.environ.get("IDENTITY_ENDPOINT") and os.environ.get("IDENTITY_HEADER"))


class DirectSession(Session):
    """A session without a proxy: the service answers only to the machine itself."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._http.proxies = {}


class ManagedIdentity:
    """The identity of the machine, or that of `azure_client_id` where it has several."""

    def __init__(self, params: Params, context: TaskContext) -> None:
        self.client = params.get("azure_client_id") or ""
        self.endpoint = os.environ.get("IDENTITY_ENDPOINT", "") if is_announced() else ""
        self.proof = os.environ.get("IDENTITY_HEADER", "")
        context.redactor.add(self.proof)
        root, _slash, self.path = (
            self.endpoint.rpartition("/") if self.endpoint else (METADATA_SERVICE, "", METADATA_PATH)
        )
        self.session = DirectSession(root, transport_settings(params), context)

    @property
    def key(self) -> str:
        """The service and the identity."""
        return f"{self.session.base_url}/{self.path}\0{self.client}"

    def fetch(self, scope: str) -> Token:
        """GET a token from the service of the machine."""
        query = {"resource": scope.removesuffix("/.default"), **({"client_id": self.client} if self.client else {})}
        if self.endpoint:
            query["api-version"], headers = APP_SERVICE_VERSION, {"X-IDENTITY-HEADER": self.proof}
        else:
            query["api-version"], headers = METADATA_VERSION, {"Metadata": "true"}
        try:
            response = self.session.request("GET", self.path, query=query, headers=headers, signed=False)
        except HttpError as error:
            raise SignInFailed(
                f"the managed identity returned no token. {error}. Check that the machine has an identity"
                f"{', and that azure_client_id is the client id of one of them' if self.client else ''}"
            ) from None
        except TransportError as error:
            raise SignInFailed(
                f"the managed identity returned no token. {error}. azure_auth_source managed_identity works only on a machine in Azure"
            ) from None
        data = response.data
        if not isinstance(data, Mapping) or not data.get("access_token"):
            raise SignInFailed("the response for the managed identity contains no access_token")
        return token_of(data)
