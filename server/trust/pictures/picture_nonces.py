"""What a picture that is asked for is known by. Rule: a nonce stands for one side of one look at a chat, and says nothing to anybody else."""

from collections.abc import Callable, Sequence

from server.ops.config.picture_settings import installed
from server.ops.config.settings import Settings
from server.ops.security.host_hints import Places

Sent = Callable[[str, Sequence[int], Sequence[str]], object]


def possible(settings: Settings) -> bool:
    """Whether this installation can look at pictures at all."""
    return settings.pictures.mode != "off" and settings.video.enabled and settings.store.enabled and installed()


def nowhere(_chat: str, _sides: Sequence[int], _nonces: Sequence[str]) -> None:
    """Where nobody looks."""


class Nonces:
    """Where people are: whether they are looked at now, and the nonces. `sent`: told of each look (chat, sides, nonces); `draw`: gives a nonce."""

    def __init__(self, sent: Sent = nowhere, draw: Callable[[], str] | None = None) -> None:
        self.on = False
        self.sent = sent
        self._draw = Places().token if draw is None else draw

    def ask(self, chat: str, sides: tuple[int, ...]) -> tuple[str, ...]:
        """A nonce for each of these sides; none where nobody looks now."""
        if not self.on:
            return ()
        nonces = tuple(self._draw() for _ in sides)  # 22 characters
        self.sent(chat, sides, nonces)
        return nonces
