"""Define the messages that sessions send each other, within a process or to another one.

**Invariant:** a message is data and names its chat; a receiver that has left this chat ignores the message.
"""

from dataclasses import dataclass

from engine.core.chat import Seat, SentPicture


@dataclass
class Begin:
    """Message of the matcher: take this seat, if search `serial` is still running."""

    serial: int
    seat: Seat
    common: tuple[int, ...]  # ids of the interests that both named, rarest first
    language: str  # language of the partner (if `*`: the language that they write), or the common one
    college: str | None  # college of the partner
    offer: bool  # this side makes the WebRTC offer

    def fill(
        self, serial: int, seat: Seat, common: tuple[int, ...], language: str, college: str | None, offer: bool
    ) -> None:
        """Set all fields. For a new object, without the cost of its constructor."""
        self.serial, self.seat, self.common = serial, seat, common
        self.language, self.college, self.offer = language, college, offer


@dataclass
class Ended:
    """Side `side` ended the chat. Side 2, a spy, ends nothing: the chat only has no watcher any more."""

    chat: str
    side: int
    by: str


@dataclass
class Moved:
    """Side `side` is away and may come back until `until`; 0: it is back."""

    chat: str
    side: int
    until: float


@dataclass
class Held:
    """The chat is held until side `side` answers the age question, until `until` at most; 0: it answered."""

    chat: str
    side: int
    until: float


@dataclass
class OpenerPaused:
    """The lines of side `side` wait for the partner's first one, until `until` at most; 0: they wait no longer."""

    chat: str
    side: int
    until: float


@dataclass
class Replaced:
    """Side `side` has the session `address` from now on."""

    chat: str
    side: int
    address: int


@dataclass
class Reacted:
    """Side `side` shows `face` at line `seq`; empty: it removed its face."""

    chat: str
    side: int
    seq: int
    face: str


@dataclass
class WantsAgain:
    """Side `side` wants to meet the other one again."""

    chat: str
    side: int


@dataclass
class PicturesAllowed:
    """Side `side` allows pictures in this chat, or allows them no more."""

    chat: str
    side: int
    allow: bool


@dataclass
class PictureSent:
    """A side sent a picture, which was checked."""

    chat: str
    sent: SentPicture


BusMessage = (
    Begin | Ended | Moved | Held | OpenerPaused | Replaced | Reacted | WantsAgain | PicturesAllowed | PictureSent
)  # fmt: skip
