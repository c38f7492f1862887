# SPDX-License-Identifier: GPL-3.0-or-later
"""The Defender portal, as far as a contract for data connectors is replayed there, with the session of a browser."""

from __future__ import annotations

from ...ansible_module import Params, TaskContext
from ...transport.errors import HttpError, SignInFailed
from ...transport.session import Session
from ...transport.settings import transport_settings
from ..graph import GraphClient

PORTAL_OPTIONS = {
    "mda_portal_cookie": {"type": "str", "no_log": True},
    "mda_portal_xsrf_token": {"type": "str", "no_log": True},
}


class PortalClient:
    """The portal of the tenant whose exposure graph `graph` reads."""

    name = "Exposure Management"

    def __init__(self, graph: GraphClient) -> None:
        self.context: TaskContext = graph.context
        self.params: Params = graph.params
        self.session: Session = graph.session

    def session_to(self, origin: str) -> Session:
        """Return a session with the portal, which does not sign in."""
        return Session(origin, transport_settings(self.params), self.context, None)

    def refusal(self, error: HttpError) -> Exception:
        """Return the exception for a request that the portal refuses although it is signed."""
        return SignInFailed(
            f"{self.name}: the portal refused the sign-in. {error}. Learn the contract from a recording of a browser's session"
        )
