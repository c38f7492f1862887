# SPDX-License-Identifier: GPL-3.0-or-later
"""Update sets that an instance takes over from another one."""
