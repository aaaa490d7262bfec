"""Which names a server answers to: the guard against pages that reach it by a name of their own (DNS rebinding).

Rule: a Host that is not known is not answered, on every port.
"""

from collections.abc import Iterable


def bare(host: str) -> str:
    """A Host header without its port, in lower case: `Chat.Example:8080` is `chat.example`, `[::1]:80` is `[::1]`."""
    name, colon, port = host.rpartition(":")
    if colon and port.isascii() and port.isdigit() and (not name.startswith("[") or name.endswith("]")):
        host = name
    return host.lower().removesuffix(".")


def known(host: str | None, names: Iterable[str]) -> bool:
    """Whether a Host header names this server; `*` among the names: every one does."""
    return host is not None and not {bare(host), "*"}.isdisjoint(name.lower() for name in names)
