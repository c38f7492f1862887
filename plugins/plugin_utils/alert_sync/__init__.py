# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets for alerts and incidents of Microsoft Defender, both ways. Pure functions: nothing is read or written."""
