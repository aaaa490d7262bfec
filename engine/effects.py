"""What the engine wants done, in the order in which it shall appear on the wire. Rule: `conn` names a live connection.

A connection is a number that the reactor gives (0: none). Whoever applies effects does so one by one, in order. Two frames
are made there: `hello`, which holds a token, and the `error` that the reactor answers a signal with.
"""

from dataclasses import dataclass
from typing import Any

from engine.address import Address
from engine.bus_messages import BusMessage
from engine.frames import error as error
from engine.frames import hello as hello
from engine.session import Session
from ext.net.ring import Ring


@dataclass(slots=True)
class Hello:
    """Greet a new connection: the caller makes the token, from `session.key`, and the frame."""

    conn: int
    session: Session


@dataclass(slots=True)
class Send:
    """Send one frame, already encoded."""

    conn: int
    frame: bytes


@dataclass(slots=True)
class Link:
    """`conn` takes its seat: what side 0 or 1 says goes into `ring` and to whoever else is linked to it; 2 watches."""

    conn: int
    ring: Ring
    side: int


@dataclass(slots=True)
class Unlink:
    """The chat is over for `conn`; what was taken before has been sent."""

    conn: int


@dataclass(slots=True)
class Say:
    """A message that is valid but not canonical: `text` and `id` are JSON strings without their quotes."""

    conn: int
    text: bytes
    id: bytes | None


@dataclass(slots=True)
class Typing:
    """`conn` types, or stopped."""

    conn: int
    typing: bool


@dataclass(slots=True)
class Signal:
    """A WebRTC signal of `conn`, checked and encoded, for its partner."""

    conn: int
    frame: bytes


@dataclass(slots=True)
class Refuse:
    """A `message` frame of `conn` was refused: it counts as taken, and its ordinal is remembered."""

    conn: int


@dataclass(slots=True)
class Adopt:
    """`conn` carries `session` from now on."""

    conn: int
    session: Session


@dataclass(slots=True)
class Replay:
    """Send `conn` what `side` missed after number `after`."""

    conn: int
    ring: Ring
    side: int
    after: int


@dataclass(slots=True)
class Close:
    """Send `frame` where there is one, then close with `code`."""

    conn: int
    code: int
    frame: bytes | None


@dataclass(slots=True)
class ToBus:
    """Hand `message` to the bus."""

    address: Address
    message: BusMessage


@dataclass(slots=True)
class Keep:
    """Something for the store; only asked for where there is one."""

    item: Any


Effect = Hello | Send | Link | Unlink | Say | Typing | Signal | Refuse | Adopt | Replay | Close | ToBus | Keep
