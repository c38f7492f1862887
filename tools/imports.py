# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the layers of the collection: `python -m tools.imports`.

Arrows point down. No two files and no two folders below plugins/module_utils import each other in a circle, imports that
only type checkers see included; the engine and the transport import no platform; clients know no more of the engine than
its errors; only the transport imports requests, and only ansible_module.py imports AnsibleModule.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UTILS = ROOT / "plugins" / "module_utils"
PLATFORMS = ("snow", "microsoft", "hardening", "recorded_api")
# Folder or file below module_utils (a prefix), and the prefixes that it must not import.
FORBIDDEN = {
    "engine": (*PLATFORMS, "transport", "ansible_module"),
    "transport": (*PLATFORMS, "engine", "ansible_module"),
    "recorded_api": ("snow", "microsoft", "hardening"),
    "snow": ("microsoft", "hardening"),
    # Secure Score grades settings of ServiceNow, so that its package knows their catalogue.
    "microsoft": ("snow",),
    "hardening": ("microsoft",),
}
CLIENTS = ("snow/client", "microsoft/arm/client", "microsoft/graph/client", "microsoft/cloud_apps/client")
Graph = Mapping[str, set[str]]


def imports_of(path: Path) -> Iterator[str]:
    """Yield the files below module_utils, without ending, that a file there imports."""
    package = path.relative_to(UTILS).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        start = package[: len(package) - node.level + 1]
        target = UTILS.joinpath(*start, *(node.module or "").split("."))
        for name in node.names:
            if (target / f"{name.name}.py").exists():
                yield (target / name.name).relative_to(UTILS).as_posix()
            elif (target / name.name / "__init__.py").exists():
                yield (target / name.name / "__init__").relative_to(UTILS).as_posix()
            elif target.with_suffix(".py").exists():
                yield target.relative_to(UTILS).as_posix()
            elif (target / "__init__.py").exists():
                yield (target / "__init__").relative_to(UTILS).as_posix()


def file_graph() -> dict[str, set[str]]:
    """Return which file imports which, by path below module_utils without ending."""
    return {
        path.relative_to(UTILS).with_suffix("").as_posix(): set(imports_of(path))
        for path in sorted(UTILS.rglob("*.py"))
    }


def folder_graph(files: Graph) -> dict[str, set[str]]:
    """Return which folder imports which; a file's own folder and those it lies in do not count."""
    graph: dict[str, set[str]] = {}
    for name, targets in files.items():
        here = name.rpartition("/")[0]
        for target in targets:
            there = target.rpartition("/")[0]
            related = f"{there}/".startswith(f"{here}/") or f"{here}/".startswith(f"{there}/")
            if there and here and not related:
                graph.setdefault(here, set()).add(there)
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """Return each circle of a graph once, as its strongly connected parts of more than one node (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for following in graph.get(node, ()):
            if following not in index:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], index[following])
        if low[node] == index[node]:
            part = [stack.pop()]
            while part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def problems(files: Graph) -> Iterator[str]:
    """Yield one sentence for each rule that an import breaks."""
    for what, graph in (("files", files), ("folders", folder_graph(files))):
        for circle in circles(graph):
            yield f"{what} import each other in a circle: {', '.join(circle)}"
    for name, targets in files.items():
        for target in sorted(targets):
            layer = next((place for place in FORBIDDEN if name.startswith(f"{place}/")), "")
            if any(f"{target}/".startswith(f"{other}/") for other in FORBIDDEN.get(layer, ())):
                yield f"{name} imports {target}: {layer} lies below it"
            if name in CLIENTS and target.startswith("engine/") and target != "engine/errors":
                yield f"{name} imports {target}: a client knows no more of the engine than its errors"


def foreign_imports() -> Iterator[str]:
    """Yield one sentence for each import of requests or AnsibleModule outside its place."""
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            names = {alias.name.split(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = {(node.module or "").split(".")[0], *(alias.name for alias in node.names)}
            if "requests" in names and not place.startswith("plugins/module_utils/transport/"):
                yield f"{place} imports requests: only the transport does"
            if "AnsibleModule" in names and place != "plugins/module_utils/ansible_module.py":
                yield f"{place} imports AnsibleModule: only ansible_module.py does"


def main() -> int:
    """Print every problem; return 1 when there is one."""
    found = [*problems(file_graph()), *foreign_imports()]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
