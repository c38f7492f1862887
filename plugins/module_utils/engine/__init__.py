# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, plan, apply: how anything this collection manages comes to its described state. Knows no HTTP and no Ansible."""
