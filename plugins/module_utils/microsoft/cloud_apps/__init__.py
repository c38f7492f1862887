# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Defender for Cloud Apps: connection options, and the way from a task's parameters to a tenant."""

from __future__ import annotations

from ...ansible_module import Context, Params
from ..entra.options import AZURE_OPTIONS
from .client import Tenant
from .options import MDA_OPTIONS

# What every module of this group takes: Entra signs in where no API token is given.
TENANT_OPTIONS = {**AZURE_OPTIONS, **MDA_OPTIONS}


def connect(params: Params, context: Context) -> Tenant:
    """Return the tenant that the connection options of a task describe; nothing is sent yet.

    Raises `BadConnectionOption` for options that are missing or do not fit together.
    """
    return Tenant.from_params(params, context)


__all__ = ["TENANT_OPTIONS", "Tenant", "connect"]
