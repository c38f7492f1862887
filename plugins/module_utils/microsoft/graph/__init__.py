# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph: connection options, and the way from a task's parameters to a client."""

from __future__ import annotations

from ...ansible_module import Params, TaskContext
from ..entra.options import AZURE_OPTIONS
from .client import GraphClient


def client_for(params: Params, context: TaskContext) -> GraphClient:
    """Return a client for the connection options of a task; nothing is sent yet.

    Raises `BadConnectionOption` for options that are missing or do not fit together.
    """
    return GraphClient.from_params(params, context)


__all__ = ["AZURE_OPTIONS", "GraphClient", "client_for"]
