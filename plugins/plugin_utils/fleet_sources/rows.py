# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a fleet file, YAML or CSV, each with the number of its line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

KEY = "instances"
# Spreadsheets of many countries write semicolons.
DELIMITERS = ",;\t"


class FleetFileError(ValueError):
    """A fleet file of which no row can be read; the message is one sentence."""


@dataclass(frozen=True)
class Row:
    """One row: the number of its line, its values by column, and why it cannot be used, "" if it can."""

    line: int
    values: dict[str, Any]
    problem: str = ""


def rows_of(path: Path, content: bytes) -> list[Row]:
    """Return the rows of a file in their order; raise `FleetFileError` if there is none to read."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FleetFileError(f"{path.name} line {line}: not UTF-8 text; save the file as UTF-8") from None
    rows = list(_csv_rows(path.name, text) if path.suffix.lower() == ".csv" else _yaml_rows(path.name, text))
    if not rows:
        raise FleetFileError(f"{path.name} has no instances; add a row for each, with at least the column name")
    return rows


def _csv_rows(name: str, text: str) -> Iterator[Row]:
    lines = text.splitlines()
    # Lines that are left out keep their numbers: an empty line is no row for the reader.
    kept = "\n".join("" if line.lstrip().startswith("#") else line for line in lines) + "\n"
    first = next((line for line in kept.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    rows = _cells(kept.splitlines(keepends=True), delimiter)
    columns: list[str] = []
    for line, cells, problem in rows:
        if columns:
            row = _csv_row(line, columns, [cell.strip() for cell in cells])
            yield replace(row, problem=problem) if problem else row
        elif problem:
            raise FleetFileError(f"{name} line {line}: {problem}")
        else:
            columns = _columns(name, line, cells)


def _cells(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield for each row its line, its cells and what is wrong with it; the rows after a wrong one are read on."""
    start = 0
    while start < len(lines):
        reader = csv.reader(lines[start:], delimiter=delimiter, strict=True)
        before = 0
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield start + before + 1, cells, ""
                before = reader.line_num
            return
        except csv.Error as error:
            # Without `strict`, a line is read even so: its name says which host has the wrong row.
            start += before
            lenient = next(csv.reader([lines[start].replace('"', "")], delimiter=delimiter), [])
            yield start + 1, lenient, f"not CSV ({error}); correct the quotes of this row"
            start += 1


def _columns(name: str, line: int, cells: Iterable[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise FleetFileError(f"{name} line {line}: the column {twice or 'without a name'} is there twice; remove one")
    if "name" not in columns:
        raise FleetFileError(
            f"{name} line {line}: no column name, only {', '.join(columns)}; the first row names the columns"
        )
    return columns


def _csv_row(line: int, columns: list[str], cells: list[str]) -> Row:
    values: dict[str, Any] = {column: cell for column, cell in zip(columns, cells, strict=False) if cell and column}
    more = [cell for cell in cells[len(columns) :] if cell]
    if more:
        return Row(
            line,
            values,
            f"{len(cells)} cells, but {len(columns)} columns; put a value that holds the separator in quotes",
        )
    return Row(line, values)


def _yaml_rows(name: str, text: str) -> Iterator[Row]:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == KEY), None)
            if node is None:
                raise FleetFileError(f"{name} has no list {KEY}; add one with an entry for each instance")
        if node is not None and not isinstance(node, yaml.SequenceNode):
            raise FleetFileError(
                f"{name} line {node.start_mark.line + 1}: {KEY} is not a list; begin each entry with a dash"
            )
        for entry in node.value if node is not None else ():
            yield _yaml_row(loader, entry)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "a character that is not allowed"
        raise FleetFileError(f"{name}{where}: not YAML ({reason}); correct this line") from None
    finally:
        loader.dispose()


def _yaml_row(loader: yaml.SafeLoader, node: yaml.Node) -> Row:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode) and node.value.strip():
        return Row(line, {"name": str(node.value).strip()})
    if not isinstance(node, yaml.MappingNode):
        return Row(line, {}, "neither a name nor a row of columns")
    keys = [str(key.value) for key, _value in node.value]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    try:
        values = {str(key): value for key, value in loader.construct_document(node).items() if value not in (None, "")}
    except yaml.YAMLError:
        return Row(line, {}, "a value that is not plain YAML; give text, a number, a list or a dictionary")
    return Row(line, values, f"the column {twice} is there twice; remove one" if twice else "")
