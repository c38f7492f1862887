# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to the next page: followed unchanged, and never to another host.

See docs/facts/defender_for_cloud.md#long-running-operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from ..engine.errors import EngineError
from ..transport.base_url import origin_of


def path_below(link: str, roots: Sequence[str], platform: str, option: str) -> str:
    """Return the path and query of an absolute `link`, below whichever of `roots` it starts with.

    The first root is the connected one. Behind a gateway, links name the cloud's own address, the second root: those are
    followed through the gateway. A link may name the default port. Raises `EngineError`, naming `platform` and `option`, for a link to another host.
    """
    try:
        parts = urlsplit(link)
    except ValueError:
        raise EngineError(f"{platform} returned a link that is no address. Check {option}") from None
    for root in roots:
        base = urlsplit(root)
        if origin_of(link) != origin_of(root):
            continue
        path = parts.path
        if base.path and path.startswith(f"{base.path}/"):
            path = path[len(base.path) :]
        return f"{path}?{parts.query}" if parts.query else path
    raise EngineError(
        f"{platform} returned a link to {parts.netloc or 'an address without a host'}, which is not {roots[0]}; "
        f"the token is sent to no other host. Check {option}"
    )
