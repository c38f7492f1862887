# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert users, or rows of a hunting query, to entries for entra_user_actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: user_actions
short_description: Combine users with actions
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Converts a list of users, or the rows of a hunting query, to the option
    O(secops.servicenow_defender.entra_user_actions#module:users).
  - Each user counts once, names are not case-sensitive, and rows without a user are skipped.
positional: _input, actions
options:
  _input:
    description: Object ids or user principal names, or rows, column name to value.
    type: list
    elements: raw
    required: true
  actions:
    description: One or several actions for each user.
    type: list
    elements: str
    required: true
  column:
    description: The column of the rows that holds the object id or the user principal name.
    type: str
    default: AccountObjectId
"""

EXAMPLES = r"""
- name: Require all users in the results of a query to sign in again
  secops.servicenow_defender.entra_user_actions:
    users: "{{ hunting.results | secops.servicenow_defender.user_actions('require_sign_in') }}"
"""

RETURN = r"""
_value:
  description: Each user with each action.
  type: list
  elements: dict
  sample:
    - id: jane@acme.example
      action: require_sign_in
"""


def user_actions(
    found: str | list[Any], actions: str | list[str], column: str = "AccountObjectId"
) -> list[dict[str, str]]:
    """Return each user of `found` (names, or rows with a name in `column`) with each of `actions`."""
    users: dict[str, str] = {}
    for entry in _names(found):
        name = str(_named(entry, column) or "").strip()
        if name:
            users.setdefault(name.casefold(), name)
    wanted = [name.strip() for name in _names(actions)]
    return [{"id": user, "action": action} for user in users.values() for action in wanted]


def _names(given: str | list[Any]) -> list[Any]:
    """Return a list as it is, and the names in a text, as `-e respond_users=a@b.c` gives it."""
    return [name for name in given.split(",") if name.strip()] if isinstance(given, str) else list(given)


def _named(entry: Any, column: str) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    if column not in entry:
        raise AnsibleFilterError(
            f"user_actions: the rows have no column {column!r}; they have: {', '.join(entry) or 'none'}. Set column to the one with "
            f"object ids or user principal names"
        )
    return entry[column]


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"user_actions": user_actions}
