"""Searches of programs that a challenge comes before: it is solved, or waited for. Rule: they are told; no request hangs meanwhile, and the search
begins by itself."""

import asyncio
from collections.abc import Callable
from typing import Final

from engine.wire.protocol import CHALLENGE_WAITS
from server.site.omegle import omegle_events
from server.site.omegle.omegle_client import Client

LONGEST: Final = CHALLENGE_WAITS[-1]  # seconds; who is refused for longer is turned away
SOON: Final = 0.05  # seconds
AGAIN: Final = 1.0  # seconds until somebody who is cut off, or came from another process, is looked at


class Patience:
    """Of one adapter. `search`: say a client's search anew, and give the code of the error that it led to; `over`: it was refused;
    `away`: one of this id is cut off."""

    def __init__(
        self, search: Callable[[Client], str], over: Callable[[Client], None], away: Callable[[str], bool]
    ) -> None:
        self._search = search
        self._over = over
        self._away = away

    def hold(self, client: Client, status: bytes) -> bool:
        """Its search was refused: whether it is said again by itself, and the client told so. `status`: the event beside `waiting`."""
        seconds = client.patience
        if not 0 < seconds <= LONGEST:
            return False
        client.told = client.pending = True
        client.put(
            [omegle_events.WAITING, status, omegle_events.event("serverMessage", omegle_events.please_wait(seconds))]
        )
        self.later(client, seconds)
        return True

    def hear(self, client: Client, status: bytes) -> None:
        """What its search waits for was told, beside any request: the challenge was solved, or its answer is not taken. `status`: as `hold`."""
        if client.solved:
            client.solved = False
            self.later(client, 0.0)
        elif client.patience and not client.challenge:  # it waits instead
            self.hold(client, status)
        elif client.patience:  # the search brings the next one
            client.put([omegle_events.event("serverMessage", omegle_events.please_wait(client.patience))])
            self.later(client, client.patience)

    def later(self, client: Client, seconds: float = AGAIN) -> None:
        """Its search is said again after so many seconds."""
        asyncio.get_running_loop().call_later(seconds, self._again, client)

    def _again(self, client: Client) -> None:
        if client.gone or client.moved or not client.pending:
            return
        if self._away(client.id):
            self.later(client)
            return
        client.patience = 0.0
        code = self._search(client)
        if code == "challenge":  # they hear which
            return
        if code == "too_fast" and client.patience <= LONGEST:
            self.later(client, max(SOON, client.patience))  # a timer may be early by less than the frame tells
            return
        client.pending = False
        if code:
            self._over(client)
