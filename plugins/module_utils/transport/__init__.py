# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP for all clients: sessions, retries, redaction, error messages. The only importer of `requests`."""
