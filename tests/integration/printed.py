# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands, files and output that a document prints, and a reader who follows them in an empty folder."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.integration.commands import STARTED_BY, Commands
from tests.integration.playbooks import Playbooks

CONSOLE, YAML, TEXT = "console", "yaml", "text"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
DIRECTIVE = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:\1 +.*\n|\n)+)", re.M)
FILE_NAME = re.compile(r"# (\w+\.yml)\n")
GROUPS = frozenset({"servicenow", "defender"})
INVENTORY = "inventory.yml"
# Commands that documents print, as `python -m ansible` calls them.
PROGRAMS = {"ansible": "adhoc", "ansible-inventory": "inventory", "ansible-playbook": "playbook"}


@dataclass(frozen=True)
class Block:
    """One block: what it is (console, yaml, text, "" if the document does not say), and its text."""

    kind: str
    text: str

    @property
    def title(self) -> str:
        """Its first line that is no comment."""
        return next((line for line in self.text.splitlines() if not line.startswith("#")), "")

    @property
    def content(self) -> Any:
        """What its YAML says; None for another kind."""
        return yaml.safe_load(self.text) if self.kind == YAML else None

    @property
    def file_name(self) -> str:
        """The file that its first line names."""
        found = FILE_NAME.match(self.text) if self.kind == YAML else None
        return found[1] if found else ""

    @property
    def is_inventory(self) -> bool:
        """Whether it is an inventory or a part of one."""
        return isinstance(self.content, dict) and self.content.keys() <= GROUPS

    @property
    def is_playbook(self) -> bool:
        """Whether it is a playbook."""
        return isinstance(self.content, list) and all("hosts" in play for play in self.content)

    def commands(self) -> Iterator[str]:
        """Yield the commands of a console; if there are prompts, other lines are output."""
        lines = self.text.replace("\\\n", " ").splitlines()
        prompted = [line[2:] for line in lines if line.startswith("$ ")]
        yield from prompted or lines


def blocks_of(path: Path) -> list[Block]:
    """Return the blocks of a document in Markdown or reStructuredText."""
    document = path.read_text()
    if path.suffix == ".md":
        return [Block(kind, text) for kind, text in FENCE.findall(document)]
    return [Block(kind, _unindented(text)) for _indent, kind, text in DIRECTIVE.findall(document)]


def _unindented(text: str) -> str:
    indent = re.match(r" *", text)
    width = indent.end() if indent else 0
    return "\n".join(line[width:] for line in text.rstrip().splitlines()) + "\n"


class Reader:
    """Does what a document says in an empty folder.

    The hosts of the document are those of the simulator by files below `host_vars`, which win over what an inventory says.
    """

    def __init__(self, playbook: Playbooks, folder: Path, hosts: Mapping[str, Mapping[str, Any]]) -> None:
        self.playbook, self.folder = playbook, folder
        self.inventory: dict[str, Any] = {}
        self.environment: dict[str, str] = {}
        # Each command, and what it printed; the last line is its status.
        self.typed: list[tuple[str, str]] = []
        for name, variables in hosts.items():
            self.write(f"host_vars/{name}.yml", yaml.safe_dump(dict(variables)))

    def write(self, name: str, text: str) -> None:
        """Write a file into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def keep_files(self, blocks: list[Block]) -> None:
        """Write the files that a document names, but for the inventory, which can change from block to block."""
        for block in blocks:
            if block.file_name and not block.is_inventory:
                self.write(block.file_name, block.text)

    def do(self, block: Block) -> None:
        """Do what one block says: write the inventory, run commands or a playbook."""
        if block.is_inventory:
            _merge(self.inventory, block.content)
            self.write(INVENTORY, yaml.safe_dump(self.inventory, sort_keys=False) if self.typed else block.text)
        elif block.is_playbook:
            self.write("site.yml", block.text)
            self.run(f"ansible-playbook site.yml -i {INVENTORY}")
        elif block.kind == CONSOLE:
            for command in block.commands():
                self.run(command)

    def run(self, command: str) -> None:
        """Run a command as a shell would, by a fork server."""
        words = shlex.split(command, comments=True)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.environment[name] = value
            return
        if words[0] == "cd":
            self.folder /= words[1]
            return
        assert words[0] in PROGRAMS, command
        assert isinstance(self.playbook.commands, Commands)
        environment = {**self.playbook.base_environment(), **self.environment}
        status, output = self.playbook.commands.run(
            [*STARTED_BY, PROGRAMS[words[0]], *words[1:]], self.folder, environment, timeout=240
        )
        self.typed.append((command, f"{output}\nstatus {status}"))

    @property
    def last(self) -> str:
        """The last command."""
        return self.typed[-1][0]

    @property
    def outputs(self) -> list[str]:
        """What the commands printed."""
        return [output for _command, output in self.typed]

    def has_shown(self, block: Block) -> bool:
        """Return whether one command has printed the lines of a block, in their order; `...` or an empty line stands for others."""
        text = block.text.replace("/home/me", str(self.folder))
        wanted = [_plain(line) or "..." for line in text.splitlines()]
        return any(
            _follow(["...", *wanted], [plain for line in output.splitlines() if (plain := _plain(line))])
            for output in self.outputs
        )


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _plain(line: str) -> str:
    """Return a line of output without what depends on its place: indentation, spaces, quotes, and the width of headings."""
    return re.sub(r'^"|"?,?$', "", re.sub(r" \*+$", "", " ".join(line.split())))


def _follow(wanted: list[str], lines: list[str]) -> bool:
    """Return whether lines follow each other in an output; `...` stands for other lines, and within a line for other words."""
    if not wanted:
        return True
    if wanted[0] == "...":
        return any(_follow(wanted[1:], lines[start:]) for start in range(len(lines) + 1))
    if not lines:
        return False
    return _matches(wanted[0], lines[0]) and _follow(wanted[1:], lines[1:])


def _matches(wanted: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), line) is not None


def as_vars(**variables: Any) -> str:
    """Return a file of variables."""
    return json.dumps(variables)
