# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that the playbook init writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils.new_project import folder_problem, misspelt_answer, project_files

DOCUMENTATION = r"""
name: new_project
short_description: Files of a new project
version_added: 1.0.0
author: Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Returns the files that the playbook C(init) writes. None of them holds a secret.
positional: _input
options:
  _input:
    description: Names or URLs of the instances, as a list or separated by commas. C(name=URL) gives an instance another name.
    type: raw
    required: true
  username:
    description: User name with which Ansible signs in to the instances.
    type: str
    required: true
  tenant_url:
    description: URL of Defender for Cloud Apps. Without it, the inventory has no tenant.
    type: str
    default: ""
  services:
    description: Services that the instances are connected to, V(mda), V(mdc) or V(msem).
    type: raw
    default: [mda]
"""

EXAMPLES = r"""
- name: Show the inventory of a new project
  ansible.builtin.debug:
    msg: "{{ ('acme-dev' | secops.servicenow_defender.new_project(username='svc_ansible')).0.content }}"
"""

RETURN = r"""
_value:
  description: The files, each with C(path), C(content) and C(mode).
  type: list
  elements: dict
"""


def new_project(
    instances: str | Iterable[str],
    username: str,
    tenant_url: str = "",
    services: str | Iterable[str] = ("mda",),
) -> list[dict[str, Any]]:
    """Return the files of a new project."""
    try:
        files = project_files(instances, str(username), str(tenant_url), services)
    except ValueError as error:
        raise AnsibleFilterError(f"{error}. Nothing was written") from error
    # The templates in the files are for later.
    found: list[dict[str, Any]] = wrap_var([file._asdict() for file in files])
    return found


def new_project_problem(
    instances: str | Iterable[str],
    username: str,
    tenant_url: str = "",
    services: str | Iterable[str] = ("mda",),
    names: Iterable[str] = (),
    folder: str = "",
) -> str:
    """Return why no project can be written, in one sentence; "" if it can. `names` are those of the variables that were given."""
    try:
        project_files(instances, str(username), str(tenant_url), services)
    except ValueError as error:
        problem = str(error)
    else:
        problem = folder_problem(folder) if folder else ""
    problem = misspelt_answer(names) or problem
    return str(wrap_var(f"{problem}{'' if problem.endswith('?') else '.'} Nothing was written")) if problem else ""


class FilterModule:
    """Filters of this collection."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"new_project": new_project, "new_project_problem": new_project_problem}
