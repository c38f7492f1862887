# SPDX-License-Identifier: GPL-3.0-or-later
"""The budgets of speed, memory and requests: `make bench`."""
