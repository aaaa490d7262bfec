"""Generate the nonces (random one-time names) under which browsers upload the pictures that the server requests.

**Invariant:** a nonce identifies one side of one request to one chat, and reveals nothing else.
"""

from collections.abc import Callable, Sequence

from server.ops.config.picture_settings import installed
from server.ops.config.settings import Settings
from server.ops.security.routable_ids import HostHints

Sent = Callable[[str, Sequence[int], Sequence[str]], object]


def are_pictures_possible(settings: Settings) -> bool:
    """Whether this installation can check pictures at all."""
    return settings.pictures.mode != "off" and settings.video.enabled and settings.store.enabled and installed()


def nowhere(_chat: str, _sides: Sequence[int], _nonces: Sequence[str]) -> None:
    """Do nothing: pictures are off."""


class Nonces:
    """Source of nonces in a process with users. `on`: pictures are requested now; `sent`: called with each request (chat, sides, nonces);
    `draw`: returns a nonce.
    """

    def __init__(self, sent: Sent = nowhere, draw: Callable[[], str] | None = None) -> None:
        self.on = False
        self._sent = sent
        self._draw = HostHints().token if draw is None else draw

    def ask(self, chat: str, sides: tuple[int, ...]) -> tuple[str, ...]:
        """Return a nonce for each of these sides; empty while pictures are off."""
        if not self.on:
            return ()
        nonces = tuple(self._draw() for _ in sides)  # 22 characters
        self._sent(chat, sides, nonces)
        return nonces
