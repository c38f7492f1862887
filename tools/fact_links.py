# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that every link to a fact resolves, and that every fact has a grade and a source.

A link names a page and, as a rule, a heading: `docs/facts/<page>.md#<heading>`, in the form that GitHub gives headings.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from tools.licenses import files

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "docs/facts"
INDEX = "README.md"
GRADES = ("CONFIRMED", "LIKELY", "UNKNOWN")

LINK = re.compile(rf"{FOLDER}/([A-Za-z][\w.-]*)(?:#([\w-]*))?")
# How facts were cited before they were part of the repository: by the number of a section, maybe on the next line.
NUMBER = re.compile(r"\b[Ff]acts(?:\s|#)+[A-Z]?\d[\d.]*")
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
INLINE = re.compile(r"\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"\]\[([^]]+)\]")
DEFINITION = re.compile(r"^\[([^]]+)\]: (\S+)$", re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")


@dataclass
class Page:
    """A page of facts: its text, and its headings as GitHub links them."""

    name: str
    text: str
    anchors: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.anchors = [slug(match[2]) for match in HEADING.finditer(self.text)]

    def problem_of(self, anchor: str | None) -> str:
        """Return what is wrong with a heading that a link names; an empty text if nothing is."""
        if anchor is None or anchor in self.anchors:
            return ""
        return f"{self.name} has no heading #{anchor}{nearest(anchor, self.anchors, '#')}"


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def nearest(wanted: str, known: list[str], mark: str = "") -> str:
    """Return a hint at the name that comes nearest to the wanted one."""
    close = get_close_matches(wanted, known, n=1, cutoff=0)
    return f"; the nearest is {mark}{close[0]}" if close else ""


def without_code(text: str) -> str:
    """Return a text with blanks in place of code spans."""
    return CODE.sub(lambda match: " " * len(match[0]), text)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def problem_of_link(pages: dict[str, Page], name: str, anchor: str | None) -> str:
    """Return what is wrong with a link to a page; an empty text if nothing is."""
    if name not in pages:
        return f"there is no page {name}{nearest(name, list(pages))}"
    return pages[name].problem_of(anchor)


def problems_of_links(text: str, pages: dict[str, Page]) -> Iterator[tuple[int, str]]:
    """Yield line and problem of each link that leads nowhere, and of each citation by number."""
    for match in LINK.finditer(text):
        name, anchor = match[1].rstrip("."), match[2]
        if problem := problem_of_link(pages, name, anchor):
            yield line_of(text, match.start()), f"{match[0]}: {problem}"
    for match in NUMBER.finditer(text):
        words = " ".join(match[0].replace("#", " ").split())
        yield line_of(text, match.start()), f'"{words}": cite the heading instead, {FOLDER}/<page>.md#<heading>'


def problems_of_targets(page: Page, pages: dict[str, Page]) -> Iterator[tuple[int, str]]:
    """Yield line and problem of each link between pages that leads nowhere."""
    for match in INLINE.finditer(without_code(page.text)):
        target, _, anchor = match[1].partition("#")
        if "://" in target:
            continue
        if problem := problem_of_link(pages, target or page.name, anchor or None):
            yield line_of(page.text, match.start()), f"{match[1]}: {problem}"


def problems_of_references(page: Page) -> Iterator[tuple[int, str]]:
    """Yield line and problem of sources without an address and of addresses that no source uses."""
    defined = {match[1]: match for match in DEFINITION.finditer(page.text)}
    used = set()
    for match in REFERENCE.finditer(without_code(page.text)):
        used.add(match[1])
        if match[1] not in defined:
            yield line_of(page.text, match.start()), f"[{match[1]}]: no address{nearest(match[1], list(defined))}"
    for name, match in defined.items():
        if name not in used:
            yield line_of(page.text, match.start()), f"[{name}]: no fact uses this address"


def problems_of_facts(page: Page) -> Iterator[tuple[int, str]]:
    """Yield line and problem of facts without grade or source, and of headings that are there twice."""
    matches = list(HEADING.finditer(page.text))
    for number, match in enumerate(matches):
        line, anchor = line_of(page.text, match.start()), slug(match[2])
        if page.anchors.index(anchor) != number:
            yield line, f"#{anchor}: this heading is there twice"
        end = matches[number + 1].start() if number + 1 < len(matches) else len(page.text)
        body = page.text[match.end() : end]
        if len(match[1]) == 3 and not any(f"**{grade}**" in body for grade in GRADES):
            yield line, f"#{anchor}: no grade ({', '.join(GRADES)})"
        if len(match[1]) == 3 and "\nSources: " not in body:
            yield line, f"#{anchor}: no source"


def problems_of_page(page: Page, pages: dict[str, Page]) -> Iterator[tuple[int, str]]:
    """Yield line and problem of everything that is wrong within a page."""
    yield from problems_of_targets(page, pages)
    yield from problems_of_references(page)
    if page.name == INDEX:
        unlisted = sorted(name for name in pages if name != INDEX and f"]({name})" not in page.text)
        yield from ((1, f"{name}: missing from the index") for name in unlisted)
    else:
        yield from problems_of_facts(page)


def problems(root: Path, list_files: Callable[[Path], Iterator[Path]] = files) -> list[str]:
    """Return what is wrong in a repository, a line for each problem: file, line, reason."""
    pages = {path.name: Page(path.name, path.read_text(encoding="utf-8")) for path in (root / FOLDER).glob("*.md")}
    found: list[tuple[str, int, str]] = []
    for path in list_files(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [(str(path.relative_to(root)), *problem) for problem in problems_of_links(text, pages)]
    for page in pages.values():
        found += [(f"{FOLDER}/{page.name}", *problem) for problem in problems_of_page(page, pages)]
    return [f"{file}:{line}: {reason}" for file, line, reason in sorted(found)]


def main() -> int:
    """Print the links that lead nowhere; return the exit status."""
    found = problems(ROOT)
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
