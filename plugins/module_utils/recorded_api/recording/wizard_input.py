# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that a user entered in the portal's wizard, and how to recognize them in recorded requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.errors import InvalidInput
from ...instance_address import normalize_address
from ...transport.redact import encodings

INPUT_OPTIONS = ("name", "instance_url", "username", "password", "client_id", "client_secret")
MIN_VALUE_LENGTH = 3
MIN_ENCODED_LENGTH = 8


@dataclass(frozen=True)
class Target:
    """A kind of object that a contract is learned for.

    `noun` is that of the portal. The user has to give the `required` options and those of one of `one_of`, and may give the
    `accepted` ones. Requests name the app by its `app_id`, 0 if they need not name one. `without` is what a contract would always do
    without the placeholder of a required option. `is_listed_by_address`: its list shows the address of the instance.
    """

    noun: str
    required: tuple[str, ...]
    accepted: tuple[str, ...]
    without: str
    app_id: int = 0
    one_of: tuple[tuple[str, ...], ...] = ()
    is_listed_by_address: bool = False


# ServiceNow in Defender for Cloud Apps (docs/facts/defender_for_cloud_apps.md#instance-ids).
SERVICENOW = 14509
CONNECTOR, POLICY, DATA_CONNECTOR = "mda_connector", "mda_policy", "msem_connector"
SAME_INSTANCE = "connect the same instance"
TARGETS = {
    CONNECTOR: Target("connection", ("name", "instance_url"), INPUT_OPTIONS, SAME_INSTANCE, SERVICENOW),
    POLICY: Target("policy", ("name",), ("name",), "create a policy of the same name", SERVICENOW),
    DATA_CONNECTOR: Target(
        "connection",
        ("instance_url",),
        INPUT_OPTIONS,
        SAME_INSTANCE,
        one_of=(("client_id", "client_secret"), ("username", "password")),
        is_listed_by_address=True,
    ),
}


def validate_input(values: Mapping[str, Any], target: str = CONNECTOR) -> dict[str, str]:
    """Return the entered values, with the address normalized; raise `InvalidInput` for values that are ambiguous."""
    if target not in TARGETS:
        *first, last = TARGETS
        raise InvalidInput(f"learn_contract_target must be {', '.join(first)} or {last}, not {target!r}")
    kind = TARGETS[target]
    unknown = set(values) - set(kind.accepted)
    if unknown or not values:
        raise InvalidInput(
            f"learn_contract_values accepts {', '.join(kind.accepted)}; not {', '.join(sorted(unknown)) or 'nothing'}"
        )
    for option in kind.required:
        if not values.get(option):
            raise InvalidInput(
                f"learn_contract_values lacks {option}: without its placeholder, the contract would always {kind.without}"
            )
    _check_credentials(values, kind)
    entered = {option: str(value) for option, value in values.items()}
    short = [option for option, value in entered.items() if len(value) < MIN_VALUE_LENGTH]
    if short:
        raise InvalidInput(
            f"{', '.join(short)}: too short to be found reliably. Use at least {MIN_VALUE_LENGTH} characters for the recording"
        )
    if "instance_url" in entered:
        entered["instance_url"] = normalize_address(entered["instance_url"])
        entered["instance_host"] = entered["instance_url"].partition("://")[2]
    _check_distinct(entered)
    return entered


def _check_credentials(values: Mapping[str, Any], kind: Target) -> None:
    """Refuse values that lack credentials: the contract would always send those of the recording."""
    if not kind.one_of or any(all(values.get(option) for option in options) for options in kind.one_of):
        return
    started = [options for options in kind.one_of if any(values.get(option) for option in options)] or kind.one_of
    lacking = [" and ".join(option for option in options if not values.get(option)) for options in started]
    raise InvalidInput(
        f"learn_contract_values lacks {', or '.join(lacking)}: without their placeholders, the contract would always send the credentials "
        f"of the recording"
    )


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


def without_host(options: set[str]) -> set[str]:
    """Return `options` with `instance_url` for `instance_host`, which is a part of it."""
    return {("instance_url" if name == "instance_host" else name) for name in options}
