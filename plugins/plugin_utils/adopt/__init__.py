# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that describe what an instance and a tenant have already."""
