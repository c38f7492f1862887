# SPDX-License-Identifier: GPL-3.0-or-later
"""ServiceNow: connection options, and the way from a task's parameters to an instance."""

from __future__ import annotations

from typing import Any

from ..ansible_module import Params, TaskContext
from .client import ServiceNowClient
from .options import SNOW_OPTIONS
from .store import InstanceStore


def client_for(params: Params, context: TaskContext) -> ServiceNowClient:
    """Return a client for the connection options of a task; nothing is sent yet.

    Raises `BadConnectionOption` for options that are missing or do not fit together.
    """
    return ServiceNowClient.from_params(params, context)


def store_for(params: Params, context: TaskContext) -> InstanceStore:
    """Return the same instance as the engine's store."""
    return InstanceStore.from_params(params, context)


__all__: list[Any] = ["SNOW_OPTIONS", "InstanceStore", "ServiceNowClient", "client_for", "store_for"]
