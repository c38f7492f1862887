# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired states of several services as that of one instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: merge_connections
short_description: Merge the desired states of several services into that of one instance
version_added: 0.1.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Joins lists of the same name, so that one M(secops.servicenow_defender.snow_instance) task configures all services of an instance.
  - Fails if two services share an account or an application, as each would undo the other.
options:
  _input:
    description: Options of M(secops.servicenow_defender.snow_instance), one dictionary for each service.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Configure two services
  secops.servicenow_defender.snow_instance:
    users: "{{ ([mda, mdc] | secops.servicenow_defender.merge_connections).users }}"
"""

RETURN = r"""
_value:
  description: Options of M(secops.servicenow_defender.snow_instance).
  type: dict
"""

# List -> what names an entry, and the variable of the role that sets it.
UNIQUE = {
    "users": ("user_name", "snow_connection_user_name"),
    "oauth_applications": ("name", "snow_connection_application_name"),
}


def merge_connections(services: Iterable[Mapping[str, list[dict[str, Any]]]]) -> dict[str, list[dict[str, Any]]]:
    """Return the options of one instance; an option without a value is left out."""
    merged: dict[str, list[dict[str, Any]]] = {}
    for service in services:
        for option, entries in service.items():
            known = merged.setdefault(option, [])
            for entry in entries:
                _refuse_shared(option, known, entry)
                given = {key: value for key, value in entry.items() if key != "redirect_urls" or value}
                known += [given] if given not in known else []
    return merged


def _refuse_shared(option: str, known: Iterable[Mapping[str, Any]], entry: Mapping[str, Any]) -> None:
    if option in UNIQUE:
        key, variable = UNIQUE[option]
        if any(other[key] == entry[key] for other in known):
            raise AnsibleFilterError(
                f"{variable} is {entry[key]!r} for two services; use a name for each, for example "
                "\"{{ {'mda': 'a', 'mdc': 'b'}[snow_connection_service] }}\""
            )


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"merge_connections": merge_connections}
