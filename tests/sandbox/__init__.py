# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated fleet: ServiceNow instances today, the Microsoft tenant beside them later.

Built from the published facts about the platforms, never from what a client of this collection sends.
"""
