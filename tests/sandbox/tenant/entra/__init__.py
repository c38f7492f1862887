# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Entra: tokens and who may have them."""
