# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, that overlap, and that meet a platform with faults: afterwards each row exists once, in sync."""
