# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Defender for Cloud Apps: connection options, and the client for a task's parameters."""

from __future__ import annotations

from ...ansible_module import Params, TaskContext
from ..collection_store import CollectionStore, Endpoint
from ..entra.options import AZURE_OPTIONS
from .client import CloudAppsClient
from .options import MDA_OPTIONS

# Entra signs in if no API token is set.
TENANT_OPTIONS = {**AZURE_OPTIONS, **MDA_OPTIONS}


def client_for(params: Params, context: TaskContext) -> CloudAppsClient:
    """Return a client for the connection options of a task; nothing is sent yet.

    Raises `BadConnectionOption` for options that are missing or do not fit together.
    """
    return CloudAppsClient.from_params(params, context)


def store_for(client: CloudAppsClient, collection: str, endpoint: Endpoint) -> CollectionStore:
    """Return the engine's store over one collection of a tenant."""
    return CollectionStore(client, {collection: endpoint})


__all__ = ["TENANT_OPTIONS", "CloudAppsClient", "client_for", "store_for"]
