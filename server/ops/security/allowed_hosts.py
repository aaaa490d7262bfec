"""Check Host headers against the server's names, to prevent DNS rebinding.
**Invariant:** no port answers a request with an unknown Host.
"""

import re
from collections.abc import Iterable

from ext.accept import handshake

_PUBLIC = re.compile(
    r"(?!localhost$)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+"
)  # a public name; the last label of an IP address begins with a digit


def known(host: str | None, names: Iterable[str]) -> bool:
    """Whether a Host header is one of the server's names; `*` among the names allows every host."""
    return host is not None and handshake.known(host, handshake.spelled(names))


def origin(names: Iterable[str]) -> str:
    """Return the site's origin, `https://chat.example`: the first name that is public; empty if all are local."""
    return next(
        (f"https://{name}" for name in (name.lower().rstrip(".") for name in names) if _PUBLIC.fullmatch(name)), ""
    )
