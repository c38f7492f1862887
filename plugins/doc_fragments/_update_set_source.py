# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that name an update set of another instance. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Where objects that only an elevated role can write are taken over from."""

    DOCUMENTATION = r"""
options:
  source:
    description:
      - Name of the instance on which what requires elevation was completed manually. Its update set is taken over from there, as
        M(secops.servicenow_defender.snow_update_set) does, instead of a manual step.
      - What is still open afterwards remains a manual step, and so does everything while the source has no completed
        update set, or while its preview finds problems. Nothing is taken over if nothing is open.
    type: str
  source_options:
    description:
      - Connection options of O(source), as a dictionary, such as those that the lookup
        P(secops.servicenow_defender.connection_options#lookup) returns for its host. The source is only read.
      - Required with O(source).
    type: dict
  update_set:
    description:
      - Name of the update set on O(source).
      - The default is the name that the file in RV(update_set) gives it.
    type: str
"""
