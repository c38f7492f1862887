# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rotation_plan
short_description: Which secrets of an instance are rotated
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Decides which secrets of an instance get new values, which connections are renewed, and what is left as it is, from the age of the
    secrets, the days that tokens have left, and the journal of earlier runs.
  - Reads only. A rotation that was ended before it was complete is part of the plan again.
  - The role C(secret_rotation) uses it.
options:
  _terms:
    description: Services, V(mda), V(mdc) and V(msem).
    type: list
    elements: str
    required: true
  address:
    description: URL of the instance.
    type: str
    required: true
  users:
    description: User names that exist on the instance.
    type: list
    elements: str
    default: []
  applications:
    description: OAuth applications that exist on the instance, each name with its client id.
    type: dict
    default: {}
  connection:
    description:
      - By service, its connector or integration with C(status) (V(absent) if there is none, empty if it could not be read), C(days_left),
        C(ended_days_ago), C(has_token), whether it has a refresh token whose end is to be known, and C(writable), whether it can be written
        without a manual step.
      - Of a connector, C(rows), the rows of RV(secops.servicenow_defender.mda_connectors#module:results) that have its name, stand for the first three.
      - Of an integration, C(accepted), the record of what it accepted last, C(refresh_token_lifespan) in seconds and
        C(refresh_token_expires_at), the latest expiry on the instance, stand for C(days_left).
    type: dict
    default: {}
  max_age_days:
    description: Age from which a secret is rotated. If not set, all are rotated that were not rotated within the last day.
    type: float
  renew_before_days:
    description: Days before the end of a token from which the connection is renewed.
    type: float
    default: 15
  allow_manual_steps:
    description: Whether instances are rotated whose connector can only be written manually.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show which services of an instance would be rotated
  ansible.builtin.debug:
    msg: >-
      {{ lookup('secops.servicenow_defender.rotation_plan', 'mda', address=snow_url, users=users, applications=applications,
      connection={'mda': {'status': 'connected', 'days_left': 9, 'writable': true}}).services | map(attribute='service') }}
"""

RETURN = r"""
_raw:
  description:
    - One dictionary with C(services), each with C(service), C(application), C(secrets) (names) and C(write_again).
    - C(generate) are names of secrets to generate, and C(in_use) those of them that are left from a rotation that is complete; C(finish)
      are names of secrets whose new value takes the place of the present one at the end.
    - C(journal) is its text by state, C(unproven) and C(manual_steps) what is left as it is. A journal that is replaced is a warning.
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils.number_ranges import range_problem
from ..plugin_utils.connections import Connection
from ..plugin_utils.rotation_journal import NAME, Journal
from ..plugin_utils.secret_rotation import Rotation, Situation
from ..plugin_utils.secret_store import reader, store_of


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Return the plan for the services in `terms`."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        host = str(known["inventory_hostname"])
        for name in ("max_age_days", "renew_before_days"):
            problem = range_problem(f"rotate_{name}", self.get_option(name))
            if problem:
                raise AnsibleLookupError(f"{host}: {problem}")
        situation = Situation(
            users=frozenset(self.get_option("users")),
            applications=self.get_option("applications"),
            connection=self.get_option("connection"),
            max_age_days=self.get_option("max_age_days"),
            renew_before_days=self.get_option("renew_before_days"),
            allow_manual_steps=self.get_option("allow_manual_steps"),
        )
        try:
            store = store_of(self._templar, known)
            stored = reader(store, host)
            place = store.describe(host, NAME)
            journal = Journal.parse(stored(NAME), self.get_option("address").rstrip("/").lower(), place)
            connections = {service: Connection(self._templar, known, service, stored) for service in terms}
            plan = Rotation(connections, stored, lambda name: store.stored_at(host, name), journal, situation)
        except ValueError as error:
            raise AnsibleLookupError(f"{host}: {error}") from error
        if journal.problem:
            self._display.warning(f"{host}: {journal.problem}")
        return [plan.as_dict()]
