# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets for recommendations: which findings share one, and what is written to it, computed from what was read."""
