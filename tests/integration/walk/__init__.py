# SPDX-License-Identifier: GPL-3.0-or-later
"""A walk over the options of the roles of `onboard`: what is set, what is changed, and the drift that this is."""
