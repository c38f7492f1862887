# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded APIs: contracts for routes that their vendor does not document, checked, filled in and replayed."""
