# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport options of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..number_ranges import range_problem
from .errors import BadConnectionOption

TRANSPORT_OPTIONS: dict[str, dict[str, Any]] = {
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "proxy": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
    "retries": {"type": "int", "default": 5},
    "retry_deadline": {"type": "float", "default": 120.0},
}
NUMBERS = ("timeout", "retries", "retry_deadline")


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
    for name in NUMBERS:
        problem = range_problem(name, params[name])
        if problem:
            raise BadConnectionOption(problem)
    options = {name: params[name] for name in TRANSPORT_OPTIONS}
    return Settings(**options, client_cert=client_cert, client_key=client_key)
