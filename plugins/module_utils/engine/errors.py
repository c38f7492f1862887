# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that keep a run from reaching the desired state, with messages for the user."""

from __future__ import annotations

from typing import Any

from .result import ManualStep


class EngineError(Exception):
    """The run stops here. The message names who, what, the platform's own words and the remedy.

    `output` is what the module returns in addition to the message.
    """

    def __init__(self, message: str, output: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.output = output or {}


class InvalidInput(EngineError):
    """The task's input is contradictory or cannot be resolved; nothing was written."""


class Refused(EngineError):
    """The platform understood the request and refused it.

    For an object with an outcome of its own, `status` is noted there, and `step` is what can be done manually instead.
    """

    def __init__(self, message: str, *, status: str = "refused", step: ManualStep | None = None) -> None:
        super().__init__(message)
        self.status, self.step = status, step


class NotPermitted(Refused):
    """The account lacks a permission (403)."""


class AlreadyExists(Refused):
    """The platform reports that the row exists already: another run may have created it first."""


class PlatformFailure(EngineError):
    """The platform did not answer with yes or no: throttled, down, timed out, or an answer that makes no sense.

    Never a refusal, and never a manual step: the same request can succeed later.
    """

    status = "failed"
    step = None


class UnclearOutcome(PlatformFailure):
    """A write ended without a clear answer; it may have been carried out."""
