# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Secure Score and the posture that it is computed from."""
