# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources that can be managed on an instance, one file each; the engine reconciles them."""
