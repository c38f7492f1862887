# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan first, write only what was approved: plans of runs, saved plans, and change requests that hold a plan."""
