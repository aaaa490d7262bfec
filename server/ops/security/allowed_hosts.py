"""Which names a server answers to: the guard against pages that reach it by a name of their own (DNS rebinding).

Rule: a Host that is not known is not answered, on every port.
"""

import re
from collections.abc import Iterable

from ext.accept import handshake

_PUBLIC = re.compile(
    r"(?!localhost$)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+"
)  # a name on the web; an address has a digit there


def known(host: str | None, names: Iterable[str]) -> bool:
    """Whether a Host header names this server; `*` among the names: every one does."""
    return host is not None and handshake.known(host, handshake.spelled(names))


def origin(names: Iterable[str]) -> str:
    """Where the page is on the web, `https://chat.example`: the first name that is one; empty where all are of this machine."""
    return next(
        (f"https://{name}" for name in (name.lower().rstrip(".") for name in names) if _PUBLIC.fullmatch(name)), ""
    )
