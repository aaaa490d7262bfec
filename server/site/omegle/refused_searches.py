"""Repeat a search of an HTTP client that the engine refused, once its challenge is solved or its rate limit has passed.

**Invariant:** the client is notified, no request is held meanwhile, and the client need not send another request.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from engine.wire.protocol import CHALLENGE_WAITS
from server.site.omegle import omegle_event_encoding
from server.site.omegle.omegle_client import OmegleClient

LONGEST: Final = CHALLENGE_WAITS[-1]  # seconds; a client that is refused for longer is rejected
SOON: Final = 0.05  # seconds
AGAIN: Final = 1.0  # seconds before checking again a client that is disconnected, or came from another process


class PendingSearches:
    """Pending searches of one adapter. `search`: repeats a client's search and returns its error code; `over`: called if it is refused; `away`:
    whether the client of an id is disconnected.
    """

    def __init__(
        self, search: Callable[[OmegleClient], str], over: Callable[[OmegleClient], None], away: Callable[[str], bool]
    ) -> None:
        self._search = search
        self._over = over
        self._away = away

    def hold(self, client: OmegleClient, status: bytes) -> bool:
        """Whether a refused search will be repeated; if so the client is notified. `status`: the event sent with `waiting`."""
        seconds = client.patience
        if not 0 < seconds <= LONGEST:
            return False
        client.told = client.pending = True
        client.put(
            [
                omegle_event_encoding.WAITING,
                status,
                omegle_event_encoding.event("serverMessage", omegle_event_encoding.please_wait(seconds)),
            ]
        )
        self.later(client, seconds)
        return True

    def on_answer(self, client: OmegleClient, status: bytes) -> None:
        """Handle an answer to a pending search: the challenge was solved, or its solution is not accepted. `status`: as in `hold`."""
        if client.solved:
            client.solved = False
            self.later(client, 0.0)
        elif client.patience and not client.challenge:  # it waits instead
            self.hold(client, status)
        elif client.patience:  # the repeated search brings the next challenge
            client.put(
                [omegle_event_encoding.event("serverMessage", omegle_event_encoding.please_wait(client.patience))]
            )
            self.later(client, client.patience)

    def later(self, client: OmegleClient, seconds: float = AGAIN) -> None:
        """Repeat the search after so many seconds."""
        asyncio.get_running_loop().call_later(seconds, self._again, client)

    def _again(self, client: OmegleClient) -> None:
        if client.gone or client.moved or not client.pending:
            return
        if self._away(client.id):
            self.later(client)
            return
        client.patience = 0.0
        code = self._search(client)
        if code == "challenge":  # the client has received the next challenge
            return
        if code == "too_fast" and client.patience <= LONGEST:
            # a timer may fire slightly before the time that the frame gives
            self.later(client, max(SOON, client.patience))
            return
        client.pending = False
        if code:
            self._over(client)
