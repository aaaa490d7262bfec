"""What sessions tell each other, always by the bus. Rule: a message is data, and names the chat it belongs to.

A message about a chat that the receiver is not in any more is ignored.
"""

from dataclasses import dataclass

from engine.core.chat import Seat


@dataclass
class Begin:
    """From the matcher's side: take this seat, if search `serial` is still on."""

    serial: int
    seat: Seat
    common: tuple[int, ...]  # ids of the interests both named, rarest first
    language: str  # of the partner (of any language: what they write), or the common one
    college: str | None  # of the partner
    offer: bool  # makes the WebRTC offer


@dataclass
class Ended:
    """Side `side` ended the chat; a spy's `side` 2 means only that nobody watches any more."""

    chat: str
    side: int
    by: str


@dataclass
class Moved:
    """Side `side` is away and may come back until `until`; 0: it is back."""

    chat: str
    side: int
    until: float


BusMessage = Begin | Ended | Moved
