# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Defender for Cloud Apps: connection options, and the way from a task's parameters to a tenant."""

from __future__ import annotations

from ...ansible_module import Params, TaskContext
from ..entra.options import AZURE_OPTIONS
from .client import CloudAppsClient
from .options import MDA_OPTIONS

# What every module of this group takes: Entra signs in where no API token is given.
TENANT_OPTIONS = {**AZURE_OPTIONS, **MDA_OPTIONS}


def connect(params: Params, context: TaskContext) -> CloudAppsClient:
    """Return the tenant that the connection options of a task describe; nothing is sent yet.

    Raises `BadConnectionOption` for options that are missing or do not fit together.
    """
    return CloudAppsClient.from_params(params, context)


__all__ = ["TENANT_OPTIONS", "CloudAppsClient", "connect"]
