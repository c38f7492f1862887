# SPDX-License-Identifier: GPL-3.0-or-later
"""Where inventory plugins get instances from: fleet files, and what a tenant knows."""
