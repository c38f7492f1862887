# SPDX-License-Identifier: GPL-3.0-or-later
"""What of Defender for Cloud Apps is managed."""
