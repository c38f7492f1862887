# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the RETURN blocks of the modules: `python -m tools.module_docs`.

Common return values of Ansible are not documented again, every module documents `msg` with a sample, and the keys that all
modules share refer to the guide on return values in at most four lines. No key is the name of a method of a dictionary, which a
template would find instead (ansible-test has this check since ansible-core 2.21).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "plugins" / "modules"

METHODS = frozenset(dir(dict))
COMMON = ("changed", "diff", "warnings")
SHARED = ("drift", "manual_steps", "unproven", "api_calls")
GUIDE = "ansible_collections.secops.servicenow_defender.docsite.guide_results"
# Short descriptions begin with what a module does; a reading module never manages anything.
READS, WRITES = ("List", "Get", "Compare"), ("Manage",)
CHECKS_ONLY = {"snow_oauth_check": "Verify", "snow_table_acls": "Verify"}
MAX_LINES = 4


def problems_of(name: str, source: str) -> Iterator[str]:
    """Yield what is wrong with the documentation of the module `name`, given its source."""
    blocks = _blocks(source)
    yield from _problems_of_return(blocks.get("RETURN", ""))
    yield from _problems_of_title(name, yaml.safe_load(blocks.get("DOCUMENTATION", "")) or {})


def _problems_of_return(block: str) -> Iterator[str]:
    documented: Mapping[str, Any] = yaml.safe_load(block) or {}
    for key in COMMON:
        if key in documented:
            yield f"RETURN documents {key}, a common return value of Ansible; remove it"
    if "sample" not in documented.get("msg", {}):
        yield "RETURN does not document msg with a sample"
    for key in SHARED:
        if key in documented:
            yield from _problems_of_shared(key, str(documented[key].get("description", "")), _lines_below(block, key))
    yield from _problems_of_keys(documented)


def _problems_of_keys(documented: Mapping[str, Any]) -> Iterator[str]:
    for key, described in documented.items():
        if key in METHODS:
            yield f"RETURN documents {key}, in a template the method {key}() of a dictionary; give it another name"
        yield from _problems_of_keys(described.get("contains", {}))


def _problems_of_shared(key: str, description: str, lines: int) -> Iterator[str]:
    if GUIDE not in description:
        yield f"RETURN documents {key} without a link to {GUIDE}"
    if lines > MAX_LINES:
        yield f"RETURN documents {key} in {lines} lines; the maximum is {MAX_LINES}, the guide has the rest"


def _problems_of_title(name: str, documentation: Mapping[str, Any]) -> Iterator[str]:
    title = str(documentation.get("short_description", ""))
    verbs = (CHECKS_ONLY[name],) if name in CHECKS_ONLY else READS if name.endswith("_info") else WRITES
    if title.split(" ", 1)[0] not in verbs:
        yield f'short_description "{title}" does not begin with {" or ".join(verbs)}'


def _lines_below(block: str, key: str) -> int:
    found = re.search(rf"^{key}:.*\n((?:[ \t]+.*\n?|\n(?=[ \t]))*)", block, re.MULTILINE)
    return len(found[1].splitlines()) if found else 0


def _blocks(source: str) -> dict[str, str]:
    """Return the strings that the module assigns to names in capitals, by name."""
    blocks: dict[str, str] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            blocks.update({target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)})
    return blocks


def main() -> int:
    """Print every problem; return 1 if there is one."""
    found = [
        f"{path.relative_to(ROOT)}: {problem}"
        for path in sorted(MODULES.glob("*.py"))
        for problem in problems_of(path.stem, path.read_text(encoding="utf-8"))
    ]
    print("\n".join(found) or "module documentation: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
