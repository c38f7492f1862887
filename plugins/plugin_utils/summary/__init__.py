# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary that a playbook prints at its end."""
