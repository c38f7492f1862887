# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the secrets in the arguments of a task, of any shape.

Ansible masks the values of `no_log` options only where the arguments have the right shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.common.validation import check_type_dict

from .arguments import MAX_DEPTH, Spec, coerced
from .secret_names import SECRET_NAME
from .transport.redact import MASK

# Guessed by its name alone, a shorter value is not masked: it would be masked in every word.
MIN_GUESSED_LENGTH = 4
NO_SECRETS = frozenset({"true", "false", "none", "null", "present", "absent"})
# Credentials in an address; a placeholder of a contract; a pair in a text that should be a dictionary.
IN_ADDRESS = re.compile(r"(?:^(?![\w+.-]+://)|(?P<scheme>://))(?:[^/\s:@?#]*:(?P<password>\S+)|(?P<token>[^\s/:?#]+))@")
# What a record has in place of secrets, under their names.
DIGEST = re.compile("[0-9a-f]{64}")
PLACEHOLDER = re.compile(r"\$\{[a-z0-9_]+\}")
PAIR = re.compile(
    r"""(?<![\w.])([\w.]{1,100})["']?\s*[:=]\s*(?:"((?:[^"\\]|\\.)+)"?|'((?:[^'\\]|\\.)+)'?|([^\s,;}\]]+))"""
)
# The same in a text that may be anything: only what is written like an assignment counts.
ASSIGNED = re.compile(
    r"""(?<![\w.-])([\w.-]{1,100})["']?\s*(?:=\s*|:\s*(?=["']))(?:"((?:[^"\\]|\\.)+)"?|'((?:[^'\\]|\\.)+)'?|([^\s,;}\]]+))"""
)


def without_secrets(value: Any, secrets: Iterable[str]) -> Any:
    """Return `value` as Ansible masks it: any text or number that contains a secret, however short.

    The longest first: a secret may be a part of another one, and ansible-core 2.18 takes them in any order.
    """
    return remove_values(value, sorted(secrets, key=len, reverse=True))


def shown_arguments(spec: Spec, arguments: Any) -> Any:
    """Return `arguments` with the values of secret and of unknown options masked: those may be misspelt secrets."""
    if isinstance(arguments, Mapping):
        return {
            str(name): _shown_value(spec[name], value) if name in spec else MASK for name, value in arguments.items()
        }
    if isinstance(arguments, (list, tuple, set, frozenset)):
        return [shown_arguments(spec, item) for item in arguments]
    return arguments


def _shown_value(option: Mapping[str, Any], value: Any) -> Any:
    if option.get("no_log"):
        return MASK
    return shown_arguments(option["options"], value) if option.get("options") else value


def secrets_in(spec: Spec, arguments: Any) -> set[str]:
    """Return every secret in `arguments`, of any shape, as text: values of `no_log` options and of keys named like one."""
    return {text for text in _secrets_in(spec, arguments, 0) if text}


def _secrets_in(spec: Spec, given: Any, depth: int, *, is_plain: bool = False) -> Iterator[str]:
    """Yield the secrets in `given`; `is_plain`: a text of it is what the option expects, not something in the wrong shape."""
    if depth > MAX_DEPTH:
        return
    if isinstance(given, Mapping):
        for name, value in given.items():
            option = spec.get(name, {}) if isinstance(name, str) else {}
            if option.get("no_log"):
                yield from _texts(value, depth)
            elif option.get("no_log") is None and isinstance(name, str) and SECRET_NAME.search(name):
                yield from _guessed(value, depth)
            else:
                # Below an unknown key, the same options: entries may have been given by name.
                below = option.get("options") or ({} if option else spec)
                given_value = _free_form(option, value)
                found = _secrets_in(below, given_value, depth + 1, is_plain=_takes_any_text(option))
                yield from (text for text in found if option.get("type") != "json" or not DIGEST.fullmatch(text))
    elif isinstance(given, (list, tuple, set, frozenset)):
        for value in given:
            yield from _secrets_in(spec, value, depth + 1)
    elif given is not None and not isinstance(given, (bool, int, float)):
        yield from _secrets_in_text(spec, str(given), depth)
        if not is_plain:
            yield from _assigned_in(str(given))


def _free_form(option: Mapping[str, Any], value: Any) -> Any:
    """Return the dictionary that Ansible makes of the text of an option without a specification of its own; else `value`."""
    if isinstance(value, str) and option.get("type") == "dict" and not option.get("options"):
        return coerced(check_type_dict, value) or value
    return value


def _takes_any_text(option: Mapping[str, Any]) -> bool:
    return bool(option) and option.get("type", "str") in ("str", "path") and not option.get("choices")


def _assigned_in(text: str) -> Iterator[str]:
    """Yield what a text assigns to names of secrets: Ansible takes some texts for a dictionary, and repeats others."""
    for found in ASSIGNED.finditer(text):
        if SECRET_NAME.search(found[1]):
            value = next(filter(None, found.groups()[1:]), "")
            # In the query of a URL, a value ends before the next one.
            decoded = coerced(json.loads, f'"{value}"')
            yield from _guessed([value, value.partition("&")[0], *filter(None, [decoded])], 0)


def _secrets_in_text(spec: Spec, text: str, depth: int) -> Iterator[str]:
    """Yield the passwords of addresses in `text`, and the values of secrets in what should have been a dictionary."""
    for found in IN_ADDRESS.finditer(text) if "@" in text else ():
        part = found["password"] or (found["token"] if found["scheme"] else "")
        yield from (part or "", unquote(part or ""))
    hidden = {name for name, option in spec.items() if option.get("no_log")}
    if not hidden.isdisjoint(re.findall(r"\w+", text)):
        for found in PAIR.finditer(text):
            if found[1] in hidden:
                yield next(filter(None, found.groups()[1:]), "")
        for check in (check_type_dict, json.loads):
            parsed = coerced(check, text)
            if isinstance(parsed, (dict, list)):
                yield from _secrets_in(spec, parsed, depth + 1)
        yield text


def _texts(value: Any, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH or value is None or isinstance(value, bool):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key, depth + 1)
            yield from _texts(item, depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")
    else:
        yield str(value)


def _guessed(value: Any, depth: int) -> Iterator[str]:
    value = value["value"] if isinstance(value, Mapping) and "value" in value else value
    for text in _texts(value, depth):
        if len(text) >= MIN_GUESSED_LENGTH and text.lower() not in NO_SECRETS and not PLACEHOLDER.search(text):
            yield text
