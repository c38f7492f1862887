# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, roles, groups and mail of the simulated Graph."""
