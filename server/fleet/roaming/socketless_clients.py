"""People without a socket, who speak another protocol than ours, as who sends them to another host sees them. Rule: a socket is made for who went.

Where nobody does there are none (`NO_SOCKETLESS_CLIENTS`).
"""

from __future__ import annotations

from typing import Final, Protocol

from engine.engine import Session


class SocketlessClients(Protocol):
    """What speaks for people without a socket (`server.site.omegle.remote_clients`), who go as others do: by a connection that it makes for them."""

    def ready(self, session: int) -> bool:
        """Whether a session may go now; of whom nobody speaks for any may."""

    def leaves(self, session: int) -> bool:
        """It is nowhere from here on; False: nobody speaks for it."""

    def stays(self, session: Session) -> None:
        """It is here again."""

    def goes(self, session: int) -> int:
        """The home has it: the descriptor of its client's connection. Raises OSError."""

    def lost(self, session: int) -> None:
        """It is nobody's."""


class _Nobody:
    def ready(self, session: int) -> bool:
        return True

    def leaves(self, session: int) -> bool:
        return False

    def stays(self, session: Session) -> None:
        """There is none of them."""

    def goes(self, session: int) -> int:
        return -1

    def lost(self, session: int) -> None:
        """As `stays`."""


NO_SOCKETLESS_CLIENTS: Final[SocketlessClients] = _Nobody()


def no_speaker() -> SocketlessClients:
    """Return an adapter without clients."""
    return NO_SOCKETLESS_CLIENTS
