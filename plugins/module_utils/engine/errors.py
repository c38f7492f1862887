# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a described state cannot be reached, in words for its user."""

from __future__ import annotations

from typing import Any

from .result import ManualStep


class EngineError(Exception):
    """The run stops here. `str(error)` says who, what, the platform's own words and what to do.

    `output` is what the module returns beside the message.
    """

    def __init__(self, message: str, output: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.output = output or {}


class InvalidInput(EngineError):
    """What the user described cannot be meant or cannot be resolved; nothing was written."""


class Refused(EngineError):
    """The platform understood and said no.

    For an object with an outcome of its own, `status` is noted there, and `step` says what a person can do instead.
    """

    def __init__(self, message: str, *, status: str = "refused", step: ManualStep | None = None) -> None:
        super().__init__(message)
        self.status, self.step = status, step


class AlreadyExists(Refused):
    """The platform would not create what it says to have already: somebody else may have been first."""


class UnclearOutcome(EngineError):
    """A write ended without a clear answer; it may have been carried out."""
