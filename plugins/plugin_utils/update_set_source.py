# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance whose update sets other instances take over, in the options of the modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .connection_options import options_of
from .fleet import raw_variables
from .templating import with_variables


def source_options(templar: Any, variables: Mapping[str, Any], source: str, variable: str) -> dict[str, Any]:
    """Return the options that name the host `source`; {} for none, and for the source itself.

    Raises `ValueError`, naming `variable`, for a host that is not in the inventory.
    """
    if not source or source == variables["inventory_hostname"]:
        return {}
    known = raw_variables(variables["hostvars"], source)
    if not known:
        raise ValueError(f"{variable}: {source!r} is not a host of the inventory")
    of_source = with_variables(templar, {**known})
    return {"source": source, "source_options": of_source.template(options_of("snow", known))}
