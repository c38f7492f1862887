# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the list of a portal that shows what was created: the response that has an item with the address of the instance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from ...instance_address import place_of
from .har import leaves
from .har_analysis import ID_KEYS, is_in_list, jmespath_of

Path = tuple[Union[str, int], ...]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)
# How a product is named, and under which keys: other ones have names that a user chose.
PRODUCT = re.compile(r"servicenow", re.I)
PRODUCT_KEYS = re.compile(r"product|vendor|provider|type|kind|category|source|app", re.I)
# A response that names a further page under one of these keys is not the whole list.
NEXT_PAGE = ("hasNext", "nextLink", "@odata.nextLink")


@dataclass(frozen=True)
class Listing:
    """Where a response lists what was created: the path of the list, and in an item those of id, address and product.

    `id`: that of the item. `product_path` is () for a list that names no products.
    """

    rows: Path
    id_path: Path
    address_path: Path
    product_path: Path
    id: str

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the operation `list`: `connectors` as mappings with id, address and product, and `has_next`."""
        paths = {"id": self.id_path, "address": self.address_path, "product": self.product_path}
        item = f"{{{', '.join(f'{name}: {jmespath_of(path)}' for name, path in paths.items() if path)}}}"
        next_page = [jmespath_of((*self.rows[:depth], key)) for depth in range(len(self.rows)) for key in NEXT_PAGE]
        ends = f"not_null({', '.join([*next_page, '`false`'])})"
        fields = {"connectors": f"{jmespath_of(self.rows)}[*].{item}"}
        return {**fields, "has_next": ends} if next_page else fields


def find_listing(response: Any, place: str, ids: Iterable[str]) -> Listing | None:
    """Return where a response lists the instance at `place` (an address without scheme), None if it does not. `ids` are known ones."""
    known = set(ids)
    for path, value in leaves(response):
        first = next((number for number, part in enumerate(path) if isinstance(part, int)), None)
        if first is None or not isinstance(value, str) or place_of(value) != place:
            continue
        address = path[first + 1 :]
        item = _at(response, path[: first + 1])
        if not address or is_in_list(address) or not isinstance(item, Mapping):
            continue
        id_path = _id_path(item, known)
        if id_path:
            return Listing(path[:first], id_path, address, _product_path(item, address), str(_at(item, id_path)))
    return None


def _at(node: Any, path: Path) -> Any:
    for part in path:
        node = node[part]
    return node


def _product_path(item: Mapping[str, Any], address: Path) -> Path:
    """Return the path of the text that says that an item is one of ServiceNow; () if there is none but its address."""
    texts = ((path, value) for path, value in leaves(item) if path != address and isinstance(value, str))
    found = [path for path, value in texts if PRODUCT.search(value) and PRODUCT_KEYS.search(str(path[-1]))]
    return next((path for path in sorted(found, key=len) if not is_in_list(path)), ())


def _id_path(item: Mapping[str, Any], known: set[str]) -> Path:
    """Return the path of an item's id: of a known one, else of the first that is named like one; () if there is none."""
    found = [(path, str(value)) for path, value in leaves(item) if not is_in_list(path) and value not in (None, "")]
    by_value = [path for path, value in found if value in known]
    by_name = [path for path, _value in found if ID_KEYS.fullmatch(str(path[-1]))]
    return next(iter(by_value or sorted(by_name, key=len)), ())
