# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole job against a simulated fleet: `make demo`."""
