# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to the next page: followed unchanged, never in a circle, and never to another host."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from ..engine.errors import EngineError
from ..transport.errors import AmbiguousResponse

# More pages than any list has.
MAX_PAGES = 10_000


def path_below(link: str, roots: Sequence[str], platform: str, option: str) -> str:
    """Return the path and query of an absolute `link`, below whichever of `roots` it starts with.

    The first root is the connected one. Behind a gateway, links name the cloud's own address, the second root: those are
    followed through the gateway. Raises `EngineError`, naming `platform` and `option`, for a link to another host.
    """
    parts = urlsplit(link)
    for root in roots:
        base = urlsplit(root)
        if (parts.scheme, parts.netloc.casefold()) != (base.scheme, base.netloc.casefold()):
            continue
        path = parts.path
        if base.path and path.startswith(f"{base.path}/"):
            path = path[len(base.path) :]
        return f"{path}?{parts.query}" if parts.query else path
    raise EngineError(
        f"{platform} returned a link to {parts.netloc or 'an address without a host'}, which is not {roots[0]}; "
        f"the token is sent to no other host. Check {option}"
    )


def check_new(link: str, seen: set[str], where: str) -> None:
    """Note the link or token of a further page in `seen`; raise `AmbiguousResponse` for one that leads in a circle."""
    if link in seen or len(seen) >= MAX_PAGES:
        # Taken for the end of the list, it would hide objects.
        raise AmbiguousResponse(
            f"{where}: the list is incomplete: after {len(seen) + 1} pages the platform returned a page a second time"
            if link in seen
            else f"{where}: the list is incomplete: it does not end within {MAX_PAGES} pages"
        )
    seen.add(link)
