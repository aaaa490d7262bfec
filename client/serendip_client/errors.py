"""What the client raises. Rule: an exception says what to do, as far as it is known."""

from serendip_client.events import Closed


class NoChat(Exception):
    """There is no chat to say something in."""


class Disconnected(ConnectionError):
    """The client is at its end; `closed` says why."""

    def __init__(self, closed: Closed) -> None:
        super().__init__(closed.reason)
        self.closed = closed
