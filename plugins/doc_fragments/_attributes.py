# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module says of itself. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; the parts go together with the standard fragment."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Has an action plugin of the same name that runs on the controller.
    support: full
    details:
      - The action plugin runs the whole module in the worker process of Ansible, without starting another interpreter,
        if the connection is V(local), C(become) and C(async) are not used, and the requests library can be imported.
        Otherwise Ansible runs the ordinary module, with the same result.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff
      mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled/queried by the module has not changed in a relevant way.
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: posix
    details:
      - The platform on which the module runs. It manages remote services over HTTPS.
"""

    # Should be used together with the standard fragment
    STATE_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    # Should be used together with the standard fragment
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This action does not modify state.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
"""

    ACTIONGROUP_SNOW = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/secops.servicenow_defender.snow) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - secops.servicenow_defender.snow
"""

    ACTIONGROUP_AZURE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/secops.servicenow_defender.azure) in
      C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - secops.servicenow_defender.azure
"""

    ACTIONGROUP_MDA = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/secops.servicenow_defender.mda) and C(group/secops.servicenow_defender.azure) in
      C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - secops.servicenow_defender.azure
      - secops.servicenow_defender.mda
"""
