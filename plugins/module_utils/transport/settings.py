# SPDX-License-Identifier: GPL-3.0-or-later
"""How a user wants the transport to behave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The transport options of a task (interface: connection options, group transport). Times in seconds."""

    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    timeout: float = 60.0
    retries: int = 5
    retry_deadline: float = 120.0
    client_cert: str | None = None
    client_key: str | None = None
