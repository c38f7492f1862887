# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of an instance out of the box, written as text tables."""
