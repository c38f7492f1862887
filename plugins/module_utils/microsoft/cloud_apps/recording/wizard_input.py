# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that a user entered in the portal's wizard, and how to recognize them in recorded requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ....engine.errors import InvalidInput
from ....transport.redact import encodings
from ..connectors_api import normalize_address

INPUT_OPTIONS = ("name", "instance_url", "username", "password", "client_id", "client_secret")
MIN_VALUE_LENGTH = 3
MIN_ENCODED_LENGTH = 8


def validate_input(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the entered values, with the address normalized; raise `InvalidInput` for values that are ambiguous."""
    unknown = set(values) - set(INPUT_OPTIONS)
    if unknown or not values:
        raise InvalidInput(
            f"learn_contract_values accepts {', '.join(INPUT_OPTIONS)}; not {', '.join(sorted(unknown)) or 'nothing'}"
        )
    for option in ("name", "instance_url"):
        if not values.get(option):
            raise InvalidInput(
                f"learn_contract_values lacks {option}: without its placeholder, the contract would always connect the same instance"
            )
    entered = {option: str(value) for option, value in values.items()}
    short = [option for option, value in entered.items() if len(value) < MIN_VALUE_LENGTH]
    if short:
        raise InvalidInput(
            f"{', '.join(short)}: too short to be found reliably. Use at least {MIN_VALUE_LENGTH} characters for the recording"
        )
    entered["instance_url"] = normalize_address(entered["instance_url"])
    entered["instance_host"] = entered["instance_url"].partition("://")[2]
    _check_distinct(entered)
    return entered


def _check_distinct(entered: Mapping[str, str]) -> None:
    options = list(entered)
    for position, option in enumerate(options):
        twins = [other for other in options[position + 1 :] if entered[other] == entered[option]]
        if twins:
            raise InvalidInput(
                f"{option} and {twins[0]} have the same value, so their places are ambiguous. Record a connection where they differ"
            )


def contains_value(text: str, option: str, value: str) -> bool:
    """Return whether `text` contains an entered value: a secret anywhere, any other value as a separate word."""
    if option in ("password", "client_secret"):
        return any(form in text for form in encoded_forms(value))
    return any(re.search(rf"(?<![\w-]){re.escape(form)}(?![\w-])", text) for form in encoded_forms(value))


def encoded_forms(value: str) -> Iterable[str]:
    """Return the encodings of `value` that are too long to occur by chance."""
    return [form for form in encodings(value) if len(form) >= MIN_ENCODED_LENGTH or form == value]
