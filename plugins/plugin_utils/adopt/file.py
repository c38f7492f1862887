# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of variables that `adopt` writes for one host: its own block of the file, and what a user has around it.

The block is replaced as a whole; every line outside it stays as it is, and a variable that is set there is left out of the block.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from ...module_utils.file_lock import file_for, locked
from ...module_utils.file_lock import folder as locks

FILE_NAME = "servicenow_defender.yml"
BEGIN, END = "# BEGIN adopt: replaced by each run of the playbook adopt", "# END adopt"
WIDTH = 140
TEMPLATE_SYNTAX = ("{{", "{%", "{#")


@dataclass(frozen=True)
class Variable:
    """One variable to write; `comment` is text without the number sign, "" if the name says it all."""

    name: str
    value: Any
    comment: str = ""


class Template(str):
    """A value that Ansible is to evaluate; every other text with braces is written as `!unsafe`."""


class _Dumper(yaml.SafeDumper):  # type: ignore[misc, unused-ignore]  # PyYAML declares no types
    """Writes lists indented, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    looks_like_one = any(syntax in value for syntax in TEMPLATE_SYNTAX)
    tag = "!unsafe" if looks_like_one and not isinstance(value, Template) else ""
    style = '"' if tag or isinstance(value, Template) else None
    return dumper.represent_scalar(tag or "tag:yaml.org,2002:str", str(value), style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(str, _text)


class _Loader(yaml.SafeLoader):  # type: ignore[misc, unused-ignore]
    """Reads the names of variables, with any tags on their values."""


def _nothing(_loader: yaml.SafeLoader, _suffix: str, _node: yaml.Node) -> None:
    """Stand for a value with a tag."""


_Loader.add_multi_constructor("", _nothing)


def block_of(variables: Iterable[Variable]) -> str:
    """Return the variables as YAML between the marks, in their order."""
    parts = []
    for each in variables:
        comment = "".join(f"# {line}\n" for line in each.comment.splitlines())
        value = yaml.dump(
            {each.name: each.value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH, indent=2
        )
        parts.append((comment, value))
    # A comment begins a paragraph.
    text = "".join(f"\n{comment}{value}" if comment else value for comment, value in parts)
    return f"{BEGIN}\n{text.lstrip()}{END}\n"


class VariablesFile:
    """The file of one host. Raises `ValueError` for a host whose name is no file name and for a file that cannot be extended."""

    def __init__(self, folder: Path, host: str) -> None:
        if host in ("", ".", "..") or "/" in host or os.sep in host or "\0" in host:
            raise ValueError(f"host {host!r} cannot have a folder of that name in {folder}; rename it in the inventory")
        self.path = _file_of(folder / "host_vars" / host)
        try:
            self.before = self.path.read_bytes().decode("utf-8") if self.path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{self.path} cannot be read: {error}. Nothing was written") from error
        self._head, self._block, self._tail = self._split()

    def _split(self) -> tuple[str, str, str]:
        """Return what precedes the block, the block, and what follows it."""
        head, begin, rest = self.before.partition(BEGIN + "\n")
        block, end, tail = rest.partition(END + "\n")
        if begin and not end or BEGIN in head + tail or END in head + tail:
            raise ValueError(
                f"{self.path}: the lines {BEGIN!r} and {END!r} must each be there once. Nothing was written"
            )
        return head, block, tail

    def own_names(self) -> frozenset[str]:
        """Return the variables of the block."""
        return self._names(self._block)

    def names_of_user(self) -> frozenset[str]:
        """Return the variables that the file sets outside the block."""
        return self._names(self._head) | self._names(self._tail)

    def _names(self, text: str) -> frozenset[str]:
        try:
            known = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
        except yaml.YAMLError as error:
            place = getattr(error, "problem_mark", None)
            where = f" near line {place.line + 1}" if place else ""
            raise ValueError(f"{self.path} is not YAML{where}. Correct or remove it; nothing was written") from None
        if known is not None and not isinstance(known, Mapping):
            raise ValueError(f"{self.path} holds no variables, or is encrypted. Move it away; nothing was written")
        return frozenset(known or ())

    def with_block(self, variables: Iterable[Variable]) -> str:
        """Return the text of the file with these variables, without those that the user sets outside the block.

        Raises `ValueError` if the block cannot follow what the user has in the file.
        """
        taken = self.names_of_user()
        wanted = [each for each in variables if each.name not in taken]
        block = block_of(wanted)
        if not self.before:
            return f"---\n{block}"
        if BEGIN in self.before:
            return f"{self._head}{block}{self._tail}"
        text = f"{self._head.rstrip()}\n\n{block}"
        if self._names(text) != taken | {each.name for each in wanted}:
            raise ValueError(f"{self.path} has a form that cannot be extended. Move it away; nothing was written")
        return text

    def check_writable(self) -> None:
        """Raise `ValueError` if the file could not be written."""
        place = self.path if self.path.exists() else self.path.parent
        while not place.exists() and place != place.parent:
            place = place.parent
        if place != self.path and not place.is_dir():
            raise ValueError(f"{self.path} cannot be written: {place} is not a folder")
        if not os.access(place, os.W_OK):
            raise ValueError(f"{self.path} cannot be written: {place} is read-only for this user. Set adopt_dir")

    def write(self, text: str) -> None:
        """Replace the file at once, so that a run that is killed leaves the old or the new one; raise `ValueError` if it cannot."""
        # Ansible reads no file whose name begins with a dot.
        temporary = self.path.with_name(f".{self.path.name}.adopt")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(file_for(str(self.path), "adopt", locks()), "the lock of adopted variables"):
                temporary.unlink(missing_ok=True)  # of a run that was killed
                with temporary.open("x", encoding="utf-8", newline="") as file:
                    file.write(text)
                if self.path.exists():
                    temporary.chmod(self.path.stat().st_mode & 0o777)
                os.replace(temporary, self.path)
        except OSError as error:
            raise ValueError(f"{self.path} cannot be written: {error.strerror}. Set adopt_dir") from error


def _file_of(place: Path) -> Path:
    """Return the file for the variables of the host whose folder is `place`.

    Ansible reads either such a folder or a file of that name, so where there is a file, the block goes there.
    """
    if not place.is_dir():
        for ending in ("", ".yml", ".yaml", ".json"):
            file = place.with_name(place.name + ending)
            if file.is_symlink():
                raise ValueError(
                    f"{file} is a link, which is not followed. Replace it by a file, or by a folder; nothing was written"
                )
            if file.is_file() and ending == ".json":
                raise ValueError(
                    f"Ansible would not read {file} any more next to a folder {place}. Move it to {place}; nothing was written"
                )
            if file.is_file():
                return file
    file = place / FILE_NAME
    if file.is_symlink():
        raise ValueError(f"{file} is a link, which is not followed. Replace it by a file; nothing was written")
    return file
