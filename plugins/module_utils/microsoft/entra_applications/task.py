# SPDX-License-Identifier: GPL-3.0-or-later
"""The task of entra_application: one application on Graph, with its roles on Resource Manager."""

from __future__ import annotations

import time

from ...ansible_module import Params, TaskContext
from ...engine.errors import InvalidInput
from ...engine.prediction import WOULD_FAIL
from ...engine.reconcile import reconcile
from ...engine.result import Result
from ...transport.errors import SignInFailed
from ..arm.client import ArmClient
from ..arm.scopes import Scope, read_scope
from ..collection_store import CollectionStore, Endpoint
from ..entra.credentials import sign_in
from ..entra.tokens import caller_claims
from ..graph.client import GraphClient
from .application import Application
from .directory_api import ATTEMPTS, MAX_PAUSE, Directory
from .role_assignments_api import ASSIGNMENTS, AssignmentsEndpoint

NAME = "Microsoft Entra"


def manage(params: Params, context: TaskContext) -> Result:
    """Bring one application to its desired state; `client_secret` of the output is the secret that was requested, if one was."""
    scopes = scopes_of(params)
    client, name = GraphClient.from_params(params, context), str(params["display_name"]).strip()
    with_certificates = params["removable_secrets"] is not None
    directory = Directory(client, name, SignInCheck(params, client), with_certificates=with_certificates)
    roles = AssignmentsEndpoint(
        ArmClient.from_params(params, context), params["role"] or "", scopes, lambda: directory.principal
    )
    application = Application(params, scopes, directory.key_ids, roles.check_rights)
    endpoints: dict[str, Endpoint] = {**directory.endpoints(), ASSIGNMENTS: roles}
    store = CollectionStore(directory.client, endpoints)
    store.name = NAME
    result = reconcile(store, application, noun="application")
    if roles.would_fail:
        result.output[WOULD_FAIL] = roles.would_fail
    kept = result.output["application"].get("kept")
    if kept:
        result.output["results"] = [{"object": application.label, "status": "kept", "reason": kept}]
    secret = directory.issued.get(result.output["application"].get("key_id", ""))
    if secret:
        result.output["client_secret"] = secret
    return result


def scopes_of(params: Params) -> list[Scope]:
    """Return the scopes of the role, none without a role; raise `InvalidInput`."""
    if not params["role"]:
        return []
    subscription = params["azure_subscription_id"]
    given = params["scope"] or ([f"/subscriptions/{subscription}"] if subscription else [])
    if not given:
        raise InvalidInput(f"role {params['role']} requires scope or azure_subscription_id")
    return list({text: read_scope("scope", text) for text in given}.values())


class SignInCheck:
    """Proves, once, that an application signs in with the option `client_secret`, if that is set."""

    def __init__(self, params: Params, client: GraphClient) -> None:
        self.params, self.client = params, client
        self.verified = not params["client_secret"]

    def __call__(self, application: str) -> None:
        """Sign in; a secret can be unknown for some seconds after it was requested. Raises `SignInFailed`."""
        tenant = self.params["azure_tenant_id"] or caller_claims(self.client.session).get("tid")
        for attempt in range(ATTEMPTS):
            if self.verified or not tenant:
                return
            try:
                sign_in(self.params, self.client.context, str(tenant), application, self.params["client_secret"])
                self.verified = True
            except SignInFailed as refused:
                if attempt == ATTEMPTS - 1:
                    raise SignInFailed(
                        f"no secret was removed, as the application cannot sign in with client_secret. {refused}"
                    ) from None
                time.sleep(min(MAX_PAUSE, 1.0 + attempt))
