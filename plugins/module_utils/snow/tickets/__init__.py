# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents, problems and change requests."""
