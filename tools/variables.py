# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of role variables into the guide on variables: `python -m tools.variables [--check]`.

Descriptions come from `meta/argument_specs.yml` of the roles, or from a comment in `defaults/main.yml`; defaults from both. The part of the
guide above the marker is written by hand. With `--check` nothing is written, and the exit status is 1 if the guide is out of
date, if a default has no description, or if a variable of a playbook is missing in the guide.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

ROOT = Path(__file__).resolve().parent.parent
GUIDE = Path("docs/docsite/rst/guide_variables.rst")
MARKER = "..\n  Everything below is written by ``python -m tools.variables``.\n"
# Variables that a playbook reads with a default or tests for; names with two underscores are internal.
PREFIXES = "servicenow_defender|drift|verify|respond|learn_contract|harden|init|offboarding|adopt|activity"
PLAYBOOK_VARIABLE = re.compile(
    rf"\b((?:{PREFIXES})_[a-z_]*[a-z])\b *(?:\| *default\(|is (?:not )?(?:defined|mapping)\b)"
)
SET_THERE = re.compile(r"^ +(\w+):(?= |$)", re.MULTILINE)
DOCUMENTED = re.compile(r"^  \* - ``(\w+)``$", re.MULTILINE)
COMMENT = re.compile(r"^((?:# .*\n)+)(\w+):", re.MULTILINE)
MARKUP = (
    (re.compile(r"\b(?:O|V|C|E|RV)\(([^()]*(?:\([^()]*\)[^()]*)*)\)"), r"``\1``"),
    (re.compile(r"\bI\(([^()]*)\)"), r"*\1*"),
    (re.compile(r"\bB\(([^()]*)\)"), r"**\1**"),
    (re.compile(r"\bM\(([^()]*)\)"), r":ansplugin:`\1#module`"),
    (re.compile(r"\bP\(([^()]*)\)"), r":ansplugin:`\1`"),
    (re.compile(r"\bL\(([^(),]*), *([^()]*)\)"), r"`\1 <\2>`__"),
    (re.compile(r"\bR\(([^(),]*), *([^()]*)\)"), r":ref:`\1 <\2>`"),
    (re.compile(r"\bU\(([^()]*)\)"), r"\1"),
)


class Role:
    """The variables of one role: options of its entry points, and its defaults."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.defaults = _read(folder / "defaults" / "main.yml")
        self.comments = _comments(folder / "defaults" / "main.yml")
        specs = _read(folder / "meta" / "argument_specs.yml").get("argument_specs", {})
        self.title = str(specs.get("main", {}).get("short_description", ""))
        self.options: dict[str, dict[str, Any]] = {}
        for entry_point in specs.values():
            self.options.update(entry_point.get("options") or {})

    def undocumented(self) -> list[str]:
        """Return the defaults that neither an entry point nor a comment describes."""
        return [name for name in self.defaults if name not in self.options and name not in self.comments]

    def table(self) -> Iterator[str]:
        """Yield the lines of the section of this role."""
        yield from ("", self.name, "-" * len(self.name), "")
        if self.title:
            yield from (f"{to_rst(self.title)}: :ansplugin:`secops.servicenow_defender.{self.name}#role`.", "")
        yield from (".. list-table::", "  :header-rows: 1", "  :widths: 30 50 20", "")
        yield from ("  * - Variable", "    - Meaning", "    - Default")
        for name in sorted(name for name in {*self.options, *self.defaults} if name.startswith(f"{self.name}_")):
            yield f"  * - ``{name}``"
            yield _cell(_text(self.options.get(name, {}).get("description") or self.comments.get(name, "")))
            yield _cell(self._default_of(name))

    def _default_of(self, name: str) -> str:
        option = self.options.get(name, {})
        value = option.get("default", self.defaults.get(name))
        if option.get("required"):
            return "required"
        if value is None or isinstance(value, str) and "{{" in value:
            return "computed" if value else ""
        if isinstance(value, list | dict) and len(str(value)) > 60:
            return f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
        text = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
        return f"``{text}``" if text not in ("''", "") else "empty"


def roles() -> list[Role]:
    """Return the roles of the collection, by name."""
    return [Role(folder) for folder in sorted((ROOT / "roles").iterdir()) if (folder / "meta").is_dir()]


def to_rst(text: str) -> str:
    """Return the markup of Ansible's documentation as reStructuredText."""
    for pattern, replacement in MARKUP:
        text = pattern.sub(replacement, text)
    return text


def written(guide: str, of_roles: list[Role]) -> str:
    """Return the guide with the tables of `of_roles` below the marker."""
    by_hand, marker, _tables = guide.partition(MARKER)
    if not marker:
        raise SystemExit(f"{GUIDE} has no marker: {MARKER.splitlines()[-1].strip()}")
    return by_hand + marker + "\n".join(line for role in of_roles for line in role.table()) + "\n"


def problems(guide: str, of_roles: list[Role], playbooks: str) -> list[str]:
    """Return what the guide, the roles and the text of the playbooks do not agree on."""
    found = [
        f"roles/{role.name}/defaults/main.yml: {name} has no description in meta/argument_specs.yml"
        for role in of_roles
        for name in role.undocumented()
    ]
    documented = set(DOCUMENTED.findall(guide))
    used = set(PLAYBOOK_VARIABLE.findall(playbooks)) - set(SET_THERE.findall(playbooks))
    found += [
        f"{GUIDE}: {name}, a variable of the playbooks, is missing"
        for name in sorted(used - documented)
        if "__" not in name
    ]
    if written(guide, of_roles) != guide:
        found.append(f"{GUIDE} is out of date; run python -m tools.variables")
    return found


def playbook_text() -> str:
    """Return the text of all playbooks and of what they import."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "playbooks").rglob("*.yml")))


def _read(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}


def _comments(path: Path) -> dict[str, str]:
    """Return the comments of a file of defaults, by the variable that follows each."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return {match[2]: " ".join(match[1].replace("# ", "").split()) for match in COMMENT.finditer(text)}


def _text(description: str | list[str]) -> str:
    return to_rst(description if isinstance(description, str) else " ".join(description))


def _cell(text: str) -> str:
    return f"    - {text}".rstrip()


def main(arguments: list[str]) -> int:
    """Write the guide, or with `--check` compare it; return the exit status."""
    path = ROOT / GUIDE
    guide = path.read_text(encoding="utf-8")
    if "--check" not in arguments:
        path.write_text(written(guide, roles()), encoding="utf-8")
        return 0
    found = problems(guide, roles(), playbook_text())
    print("\n".join(found) or "variables: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
