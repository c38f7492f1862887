# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance holds out of the box, written as tables."""
