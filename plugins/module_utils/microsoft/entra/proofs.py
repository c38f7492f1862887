# SPDX-License-Identifier: GPL-3.0-or-later
"""What an application proves its identity with at the token endpoint (docs/facts/entra.md#token-requests)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ...transport.errors import BadConnectionOption

JWT_BEARER, ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion"


class Proof(Protocol):
    """A secret, or a source of assertions."""

    @property
    def key(self) -> str:
        """What distinguishes it from others. It may contain a secret: digest it."""

    def form(self, client: str, audience: str) -> dict[str, str]:
        """Return the fields that prove to the token endpoint `audience` that the sender is `client`; raise `BadConnectionOption`."""


@dataclass(frozen=True)
class ClientSecret:
    """A client secret."""

    secret: str

    @property
    def key(self) -> str:
        """The secret."""
        return self.secret

    def form(self, client: str, audience: str) -> dict[str, str]:
        """Return the secret."""
        return {"client_secret": self.secret}


@dataclass(frozen=True)
class FederatedToken:
    """A token of another issuer in a file, which is read each time: its issuer replaces it long before it expires."""

    path: str

    @property
    def key(self) -> str:
        """The file."""
        return self.path

    def form(self, client: str, audience: str) -> dict[str, str]:
        """Return the token as an assertion."""
        try:
            with open(self.path, encoding="utf-8") as file:
                return assertion_form(file.read().strip())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise BadConnectionOption(f"azure_federated_token_file {self.path} cannot be read: {reason}") from None


def assertion_form(assertion: str) -> dict[str, str]:
    """Return the fields of a request that carry `assertion`."""
    return {"client_assertion_type": JWT_BEARER, ASSERTION: assertion}
