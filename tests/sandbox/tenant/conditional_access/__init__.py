# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access of the simulated Graph, and the enterprise applications that policies name."""
