# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that never reaches its host."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: lost
short_description: never reaches its host
description: [Never reaches its host.]
author: tests
"""


class Connection(Local):  # type: ignore[misc]  # ansible-core declares no types
    """See DOCUMENTATION."""

    transport = "lost"

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> Any:
        raise AnsibleConnectionFailure("no route to host")
