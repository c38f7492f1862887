# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers of the make targets; not part of the collection's archive."""
