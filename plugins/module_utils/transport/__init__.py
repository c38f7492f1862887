# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP for every client of this collection: one keep-alive session, retries, redaction, plain-word errors."""
