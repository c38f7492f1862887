# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that wait for an instance. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that control how long and how often a module polls."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description:
      - Maximum time to wait for each operation, such as an activation or installation, in seconds. After that, the task fails while the instance
        continues; a later run checks the result.
    type: float
    default: 1800
  poll_interval:
    description:
      - Seconds before the first poll. The intervals then increase up to 60 seconds.
    type: float
    default: 10
"""
