# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user typed into the portal's wizard, and its traces in what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ....engine.errors import InvalidInput
from ....transport.redact import encodings
from ..connectors_api import same_address

TYPED = ("name", "instance_url", "username", "password", "client_id", "client_secret")
SHORTEST_VALUE = 3


def checked(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the typed values, with the address in its one form; raise `InvalidInput` for what cannot be told apart."""
    unknown = set(values) - set(TYPED)
    if unknown or not values:
        raise InvalidInput(
            f"learn_contract_values takes {', '.join(TYPED)}; not {', '.join(sorted(unknown)) or 'nothing'}"
        )
    for option in ("name", "instance_url"):
        if not values.get(option):
            raise InvalidInput(
                f"learn_contract_values lacks {option}: a contract that cannot say it would always connect one instance"
            )
    typed = {option: str(value) for option, value in values.items()}
    short = [option for option, value in typed.items() if len(value) < SHORTEST_VALUE]
    if short:
        raise InvalidInput(
            f"{', '.join(short)}: too short to be told from other text; use a longer value for the capture"
        )
    typed["instance_url"] = same_address(typed["instance_url"])
    typed["instance_host"] = typed["instance_url"].partition("://")[2]
    options = list(typed)
    for position, option in enumerate(options):
        twins = [other for other in options[position + 1 :] if typed[other] == typed[option]]
        if twins:
            raise InvalidInput(
                f"{option} and {twins[0]} have the same value, so their places cannot be told apart; capture a connection where they differ"
            )
    return typed


def holds(text: str, option: str, value: str) -> bool:
    """Return whether `text` still holds a typed value: a secret anywhere, anything else as a word of its own."""
    if option in ("password", "client_secret"):
        return any(form in text for form in forms(value))
    return any(re.search(rf"(?<![\w-]){re.escape(form)}(?![\w-])", text) for form in forms(value))


def forms(value: str) -> Iterable[str]:
    """Return the ways to write a value that are long enough to be no accident."""
    return [form for form in encodings(value) if len(form) >= 8 or form == value]
