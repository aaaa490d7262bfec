"""Which names a server answers to: the guard against pages that reach it by a name of their own (DNS rebinding).

Rule: a Host that is not known is not answered, on every port.
"""

from collections.abc import Iterable

from ext.net import handshake


def known(host: str | None, names: Iterable[str]) -> bool:
    """Whether a Host header names this server; `*` among the names: every one does."""
    return host is not None and handshake.known(host, handshake.spelled(names))
