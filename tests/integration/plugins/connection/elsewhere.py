# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine under another name: a task on it is delegated as far as Ansible is concerned, so it runs as an ordinary module."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = r"""
name: elsewhere
short_description: The local connection under another name
description: For tests only.
extends_documentation_fragment: [connection_pipelining]
"""


class Connection(LocalConnection):  # type: ignore[misc]  # ansible-core declares no types
    """Runs commands here and claims to be somewhere else."""

    transport = "elsewhere"
