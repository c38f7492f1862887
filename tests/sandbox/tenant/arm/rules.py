# SPDX-License-Identifier: GPL-3.0-or-later
from .routes import Resource

RESOURCES: tuple[Resource, ...] = ()
