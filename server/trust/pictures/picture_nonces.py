"""Generate the random names under which browsers upload pictures: nonces for those that the server requests, keys for those sent to a partner.

**Invariant:** a nonce identifies one side of one request to one chat, and reveals nothing else.
"""

from collections.abc import Callable, Sequence

from server.ops.config.picture_settings import installed
from server.ops.config.settings import Settings
from server.ops.security.routable_ids import HostHints

Sent = Callable[[str, Sequence[int], Sequence[str]], object]
Upload = Callable[[str, int, str], object]


def are_checks_possible(settings: Settings) -> bool:
    """Whether this installation can check pictures at all: those of cameras, or those sent in chats."""
    chosen = settings.pictures
    cameras = chosen.mode != "off" and settings.video.enabled
    return (cameras or chosen.in_chat != "off") and settings.store.enabled and installed()


def are_pictures_possible(settings: Settings) -> bool:
    """Whether this installation can check pictures of cameras."""
    return settings.pictures.mode != "off" and settings.video.enabled and are_checks_possible(settings)


def nowhere(_chat: str, _sides: Sequence[int], _nonces: Sequence[str]) -> None:
    """Do nothing: pictures are off."""


def no_upload(_chat: str, _side: int, _key: str) -> None:
    """Do nothing: users send no pictures."""


class Nonces:
    """Source of nonces and keys in a process with users. `on`: pictures are requested now; `sent`: called with each request (chat, sides, nonces);
    `draw`: returns a nonce; `upload`: called with each key (chat, side, key), with an empty key when a chat with pictures ended, and
    with an empty chat when the picture with this key is not shown.
    """

    def __init__(self, sent: Sent = nowhere, draw: Callable[[], str] | None = None, upload: Upload = no_upload) -> None:
        self.on = False
        self._sent = sent
        self._upload = upload
        self._draw = HostHints().token if draw is None else draw

    def ask(self, chat: str, sides: tuple[int, ...]) -> tuple[str, ...]:
        """Return a nonce for each of these sides; empty while pictures are off."""
        if not self.on:
            return ()
        nonces = tuple(self._draw() for _ in sides)  # 22 characters
        self._sent(chat, sides, nonces)
        return nonces

    def key(self, chat: str, side: int) -> str:
        """Return a key for a picture that this side sends the partner."""
        key = self._draw()
        self._upload(chat, side, key)
        return key

    def over(self, chat: str) -> None:
        """Tell that a chat with pictures ended."""
        self._upload(chat, 0, "")

    def withdraw(self, key: str) -> None:
        """Tell that the picture with this key is not shown."""
        self._upload("", 0, key)
