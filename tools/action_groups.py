# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the action groups of `meta/runtime.yml` from the documentation of the modules.

A module belongs to the group of every connection fragment that it extends (`_snow`, `_azure`, `_mda`), so that
`module_defaults` of a group reaches exactly the modules that take its options. With `--check` nothing is written and
the exit status says whether the file is up to date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ansible.parsing.plugin_docs import read_docstring

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = ROOT / "meta" / "runtime.yml"
GROUPS = ("snow", "azure", "mda")
BLOCK = re.compile(r"^action_groups:.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def fragments(module: Path) -> set[str]:
    """Return the short names of the documentation fragments that a module extends."""
    documentation = read_docstring(str(module), ignore_errors=False)["doc"]
    if not documentation:
        raise SystemExit(f"{module.relative_to(ROOT)} has no DOCUMENTATION")
    names = documentation.get("extends_documentation_fragment", [])
    return {name.rsplit(".", 1)[-1] for name in ([names] if isinstance(names, str) else names)}


def action_groups(modules: Path) -> dict[str, list[str]]:
    """Return the names of the modules of each group, sorted; a group without modules is left out."""
    members: dict[str, list[str]] = {group: [] for group in GROUPS}
    for module in sorted(modules.glob("*.py")):
        if module.name == "__init__.py":
            continue
        extended = fragments(module)
        for group in GROUPS:
            if f"_{group}" in extended:
                members[group].append(module.stem)
    return {group: names for group, names in members.items() if names}


def rewritten(text: str, groups: dict[str, list[str]]) -> str:
    """Return the text of `meta/runtime.yml` with its block of action groups replaced and all else untouched."""
    lines = ["action_groups:" if groups else "action_groups: {}"]
    for group, names in groups.items():
        lines += [f"  {group}:", *(f"    - {name}" for name in names)]
    new, count = BLOCK.subn("\n".join(lines) + "\n", text)
    if count != 1:
        raise SystemExit(f"meta/runtime.yml has {count} blocks of action_groups, one is expected")
    return new


def main(arguments: list[str]) -> int:
    """Rewrite the file, or with `--check` compare it; return the exit status."""
    text = RUNTIME.read_text(encoding="utf-8")
    wanted = rewritten(text, action_groups(ROOT / "plugins" / "modules"))
    if wanted == text:
        return 0
    if "--check" in arguments:
        print("meta/runtime.yml is out of date; run 'make action-groups'")
        return 1
    RUNTIME.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
