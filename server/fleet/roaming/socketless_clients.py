"""Define the interface that gives a client without a socket of its own (Omegle's HTTP polls) a socket pair, so that its session can migrate to
another host like any other. `NO_SOCKETLESS_CLIENTS` is for processes without such clients.
"""

from __future__ import annotations

from typing import Final, Protocol

from engine.engine import Session


class SocketlessClients(Protocol):
    """Speaker for clients without a socket (`server.site.omegle.remote_sessions`); their sessions move as others do, by a connection that it
    makes for them.
    """

    def ready(self, session: int) -> bool:
        """Whether a session may move now; one without a speaker may."""

    def leaves(self, session: int) -> bool:
        """Note that a session is released; False: no client speaks through it."""

    def stays(self, session: Session) -> None:
        """Note that a session was put back."""

    def goes(self, session: int) -> int:
        """Return the descriptor of the client's connection: the home has the session. Raises OSError."""

    def lost(self, session: int) -> None:
        """Note that no process has a session any more."""


class _Nobody:
    def ready(self, session: int) -> bool:
        return True

    def leaves(self, session: int) -> bool:
        return False

    def stays(self, session: Session) -> None:
        """Do nothing."""

    def goes(self, session: int) -> int:
        return -1

    def lost(self, session: int) -> None:
        """Do nothing."""


NO_SOCKETLESS_CLIENTS: Final[SocketlessClients] = _Nobody()


def no_speaker() -> SocketlessClients:
    """Return an adapter without clients."""
    return NO_SOCKETLESS_CLIENTS
