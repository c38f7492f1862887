# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra and the APIs behind it: connection options, signing in, Resource Manager, Graph."""

from __future__ import annotations

from ...ansible_module import Params, TaskContext
from ..entra.options import AZURE_OPTIONS
from .client import ArmClient


def connect(params: Params, context: TaskContext) -> ArmClient:
    """Return the Resource Manager that the connection options of a task describe; nothing is sent yet.

    Raises `BadConnectionOption` for options that are missing or do not fit together.
    """
    return ArmClient.from_params(params, context)


__all__ = ["AZURE_OPTIONS", "ArmClient", "connect"]
