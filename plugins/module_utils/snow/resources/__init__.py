# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be managed on an instance, one file each. A resource says what it is; the engine does the rest."""
