# SPDX-License-Identifier: GPL-3.0-or-later
"""Contracts for routes that their vendor does not document: read, filled in, and sent to the letter."""
