# SPDX-License-Identifier: GPL-3.0-or-later
"""Find words that are foreign to the field: `python -m tools.words [path ...]`, by default everywhere that counts.

It reads what users and contributors read: Markdown and reStructuredText, names, descriptions and comments in YAML, the
documentation, docstrings, messages and comments of Python files, and the names of functions in tests, which are sentences.
Other names in code and recorded data are left alone. The glossary in CONTRIBUTING.md has the terms to use instead.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCOPE = ("plugins", "roles", "playbooks", "docs", "changelogs/fragments", "*.md", "tests", "tools")
# Vendors' words, and the licence, stay as they are. The list itself and its test hold the foreign words.
LEFT_OUT = (
    "LICENSE",
    "tests/sandbox/snow/data/",
    "tests/sandbox/tenant/pages/",
    "tests/unit/tools/test_words.py",
    "tools/words.py",
)

# Pattern (without regard to case) and what to write instead.
FOREIGN = (
    (r"tells?|told", "returns, reports, shows"),
    (r"anew", "again"),
    (r"beside(?!s)", "next to, besides, in addition to"),
    (r"(?:as|is|are) described|described state", "in sync, desired state"),
    (r"nobody|no-?body", "no one, or the passive"),
    (r"somebody|someone else", "another user"),
    (r"a person|by a person", "the operator, manually"),
    (r"look(?:s|ed|ing)? at|look again", "check, read, inspect"),
    (r"(?<![Tt]here )is no [A-Z]\w*|(?<![Tt]here )are no [A-Z]\w*", "is not a valid ..."),
    (r"it takes", "it requires"),
    (r"stands? in|stand(?:s|ing)? beside", "is in, is stored in"),
    (r"(?:goes|go|went) on(?! to)", "continues"),
    (r"put(?:s|ting)? back", "roll back, restore"),
    (r"blott(?:ed|ing) out|blots? out", "mask"),
    (r"whatever", "any"),
    (r"mend(?:s|ed|ing)?", "fix"),
    (r"so many", "up to, the number of"),
    (r"foretold|foretells?|foresees?|foreseen", "predict"),
    (r"at rest", "in sync"),
    (r"cannot be meant", "is invalid"),
    (r"worlds?", "fleet, instance, tenant"),
)  # fmt: skip
RULES = tuple(
    (re.compile(rf"\b(?:{pattern})\b", 0 if "A-Z" in pattern else re.IGNORECASE), hint) for pattern, hint in FOREIGN
)
YAML_TEXT = re.compile(
    r"^\s*(?:- )?(?:name|description|short_description|title|fail_msg|success_msg|msg|prompt): ?(.*)$"
)
CODE = re.compile(r"``[^`]*``|`[^`]*`|\b[ORVMCE]+\([^)]*\)|https?://\S+|\{\{.*?\}\}")


@dataclass(frozen=True)
class Finding:
    """One foreign word, where it is, and what to write instead."""

    path: str
    line: int
    word: str
    hint: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.word}": {self.hint}'


def findings_in(path: str, text: str) -> Iterator[Finding]:
    """Yield the foreign words of one file, given by its path and content."""
    for number, line in readable_lines(path, text):
        prose = CODE.sub(lambda match: " " * len(match[0]), line)
        for pattern, hint in RULES:
            for match in pattern.finditer(prose):
                yield Finding(path, number, match[0], hint)


def readable_lines(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is written for people."""
    if path.endswith(".py"):
        yield from _python_lines(text)
        if path.startswith("tests/"):
            yield from _function_names(text)
    elif path.endswith((".yml", ".yaml")):
        yield from _yaml_lines(text)
    elif path.endswith((".md", ".rst", ".j2", ".txt")):
        yield from enumerate(text.splitlines(), 1)


def _python_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments, and the lines of every string that holds a space: documentation, docstrings, messages."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    seen: set[tuple[int, str]] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            for offset, line in enumerate(node.value.splitlines() or [node.value]):
                place = (node.lineno + offset, line)
                if place not in seen:
                    seen.add(place)
                    yield place


def _function_names(text: str) -> Iterator[tuple[int, str]]:
    """Yield the names of functions as sentences, with spaces for underscores."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name.replace("_", " ").strip()


def _yaml_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield names and descriptions, with the lines that continue them, and comments."""
    depth = -1
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        found = YAML_TEXT.match(line)
        if found:
            depth = indent + (2 if line.lstrip().startswith("- ") else 0)
            yield number, found[1]
        elif line.lstrip().startswith("#") or depth >= 0 and indent > depth:
            yield number, line
        elif line.strip():
            depth = -1


def files(paths: Iterable[str]) -> list[str]:
    """Return the files of the project, known to Git, that `paths` name."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for path in listed.stdout.splitlines() if not path.startswith(LEFT_OUT)]


def main(paths: list[str]) -> int:
    """Print every foreign word; return 1 when there is one."""
    found: list[Finding] = []
    for path in files(paths or SCOPE):
        content = (ROOT / path).read_text(encoding="utf-8", errors="replace") if (ROOT / path).is_file() else ""
        found += findings_in(path, content)
    for finding in found:
        print(finding)
    if found:
        print(f"{len(found)} words that are foreign to the field; the glossary is in CONTRIBUTING.md")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
