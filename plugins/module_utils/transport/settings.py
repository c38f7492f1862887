# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport options of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import BadConnectionOption

TRANSPORT_OPTIONS: dict[str, dict[str, Any]] = {
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "proxy": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
    "retries": {"type": "int", "default": 5},
    "retry_deadline": {"type": "float", "default": 120.0},
}
# Minimum and maximum by option: seconds, and for `retries` attempts.
RANGES = {"timeout": (0.001, 86400), "retries": (0, 1000), "retry_deadline": (0, 86400)}


@dataclass(frozen=True)
class Settings:
    """How a session connects. Times in seconds."""

    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    timeout: float = 60.0
    retries: int = 5
    retry_deadline: float = 120.0
    client_cert: str | None = None
    client_key: str | None = None


def transport_settings(
    params: Mapping[str, Any], *, client_cert: str | None = None, client_key: str | None = None
) -> Settings:
    """Return the settings of a task's options; raise `BadConnectionOption` for a number out of range."""
    for name, (minimum, maximum) in RANGES.items():
        if not minimum <= params[name] <= maximum:
            raise BadConnectionOption(f"{name} must be between {minimum} and {maximum}, not {params[name]}")
    options = {name: params[name] for name in TRANSPORT_OPTIONS}
    return Settings(**options, client_cert=client_cert, client_key=client_key)
