# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, plan, apply, verify: how this collection brings objects to their desired state. Knows no HTTP and no platform."""
