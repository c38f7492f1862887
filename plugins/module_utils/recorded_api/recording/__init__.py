# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of a browser session (HAR), from which contracts are learned."""
