# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated fleet: ServiceNow instances and a Microsoft tenant in one process.

Built from the published facts about the platforms, never from what a client of this collection sends.
"""
