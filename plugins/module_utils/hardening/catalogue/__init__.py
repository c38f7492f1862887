# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardening catalogue: the settings that ServiceNow documents and Microsoft Secure Score evaluates, as data."""

from __future__ import annotations

from . import (
    access_control,
    access_rules,
    architecture,
    authentication,
    data_protection,
    logging_and_configuration,
    sessions,
    validation,
    web_services,
)
from .setting import Setting

CATALOGUE: tuple[Setting, ...] = (
    *authentication.SETTINGS,
    *access_control.SETTINGS,
    *access_rules.SETTINGS,
    *web_services.SETTINGS,
    *sessions.SETTINGS,
    *validation.SETTINGS,
    *architecture.SETTINGS,
    *logging_and_configuration.SETTINGS,
    *data_protection.SETTINGS,
)
BY_ID = {setting.id: setting for setting in CATALOGUE}

__all__ = ["BY_ID", "CATALOGUE", "Setting"]
