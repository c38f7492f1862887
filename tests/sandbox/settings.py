# SPDX-License-Identifier: GPL-3.0-or-later
"""Read settings from JSON into dataclasses; unknown names and wrong types are reported in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")


class SettingError(ValueError):
    """A setting that does not exist or has a wrong value."""


def one_of(*choices: Any) -> Any:
    """A setting with a fixed list of values; the first is the default."""
    return field(default=choices[0], metadata={"choices": choices})


def read(kind: type[T], data: Mapping[str, Any], where: str = "") -> T:
    """Read a settings object from its JSON form."""
    return merge(kind(), data, where)


def merge(current: T, data: Mapping[str, Any], where: str = "") -> T:
    """Return a copy of a settings object with some settings changed; nested objects are merged."""
    if not isinstance(data, Mapping):
        raise SettingError(f"{where or 'the settings'} must be an object")
    known: dict[str, Field[Any]] = {each.name: each for each in fields(current)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise SettingError(
            f"unknown {where + ' ' if where else ''}knob {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    changes = {name: _checked(known[name], getattr(current, name), value, where) for name, value in data.items()}
    changed: T = replace(current, **changes)  # type: ignore[type-var]
    return changed


def _checked(setting: Field[Any], current: Any, value: Any, where: str) -> Any:
    name = f"{where}.{setting.name}" if where else setting.name
    if is_dataclass(current):
        return merge(current, value, name)
    choices = setting.metadata.get("choices")
    if choices is not None:
        if value not in choices:
            raise SettingError(f"{name} must be one of {', '.join(map(repr, choices))}")
        return value
    factory = setting.default_factory
    return _typed(name, setting.default if factory is MISSING else factory(), value)


def _typed(name: str, default: Any, value: Any) -> Any:
    wanted = type(default)
    if default is None:
        return value
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise SettingError(f"{name} must be of type {wanted.__name__}")
    return value


def as_json(settings: Any) -> Any:
    """The JSON form, as accepted by `read`."""
    if is_dataclass(settings):
        return {each.name: as_json(getattr(settings, each.name)) for each in fields(settings)}
    if isinstance(settings, list):
        return [as_json(each) for each in settings]
    return settings
