"""What a client hears, typed. Rule: one class a frame of protocol.md, and a few that only a client can know.

Seconds are floats; `who` is 1 or 2 and only ever told to a spy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Hello:
    """A connection stands; `grace`: how long a dropped one may be gone, in seconds; one that closed with 1001 no more than 5.

    `statement`: the newest version of the privacy statement (`3.2`, to be read at `/privacy/3.2`), `since`: the Unix time from which it
    holds, which may be to come; empty and 0 where the server does not say.
    """

    session: str
    online: int
    grace: float
    statement: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nobody yet. `widens`: seconds until `accepts` changes, None at the last step."""

    accepts: str
    widens: float | None
    others: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """A chat begins."""

    chat: str
    role: str
    common: tuple[str, ...]
    language: str
    college: str | None
    question: str | None
    offer: bool | None
    ice: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Somebody said something."""

    seq: int
    text: str
    who: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The message `id` was taken. `seq` None: known from a resume, which does not tell the number."""

    id: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class NotSent:
    """The message `id` was not delivered. This is all that is told of it.

    `code`: the server's error (`retry_after`: seconds, where it gave them), or, where it never went out, `left` (this
    side left first), `lost` (the chat was gone when the connection came back) or `closed`. `unknown`: it went out, and
    the connection broke before the answer for a chat that is over by now: the partner may have got it.
    """

    id: str
    text: str
    code: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """The other types, or stopped."""

    typing: bool
    who: int | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A WebRTC signal, as sent."""

    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Partner:
    """The partner's connection dropped (`away`, may be back `within` seconds), or came `back`."""

    state: str
    within: float | None
    who: int | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """The chat is over."""

    by: str
    who: int | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """The log is kept."""

    url: str
    delete: str


@dataclass(frozen=True, slots=True)
class Reported:
    """The report was taken. `receipt`: the path at which to read what came of it, `kept` days after that; empty where nobody could say.

    `help`, with the reason `danger`: whom to call, each with `name`, and `call` (a number), `url` or both.
    """

    receipt: str = ""
    kept: int | None = None
    help: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Blocked:
    """What a `find` takes as `avoid`, so that it never meets that partner. `until`: Unix seconds; None: for their visit only."""

    token: str
    until: int | None


@dataclass(frozen=True, slots=True)
class Tip:
    """A program on the server found something in line `seq` of the chat; it asks for nothing, and each kind comes once a chat.

    `kind`: of a stranger's line link, contact, money, secrecy or minor; of one's own help or private. `numbers`: with help, whom to call.
    """

    kind: str
    seq: int
    numbers: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """To be read before the next search: until `Client.seen(id)` a `find` is refused with `notice`.

    `kind`: warning, pause or info; `rule`: R1 to R7, `reason` in a sentence; `day`: YYYY-MM-DD; `by`: person or machine;
    `appeal`: the path at which to read why, and to object.
    """

    id: str
    kind: str
    rule: str
    reason: str
    day: str
    by: str
    appeal: str


@dataclass(frozen=True, slots=True)
class Snap:
    """Pictures for safety are wanted, in a video chat; the client answers by itself (`Client(pictures=…)`).

    `tiles` of the stranger, `gap` milliseconds apart, and with `mine` one of the own camera, `within` so many seconds.
    """

    nonce: str
    tiles: int
    gap: int
    mine: bool
    within: float


@dataclass(frozen=True, slots=True)
class Veil:
    """`nudity`: blur and mute the stranger (`on`), or no longer. `unchecked`: hang up the call; the chat goes on by text."""

    on: bool
    why: str


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """To be solved before the next search, within so many seconds. `age`: somebody wrote that they are under 18, and is to be asked."""

    kind: str
    parameters: Mapping[str, Any]
    within: float = 0.0


@dataclass(frozen=True, slots=True)
class Solved:
    """The solution was right: the next search is taken."""

    kind: str


@dataclass(frozen=True, slots=True)
class Error:
    """The server did not take something, or is about to close; of a message it is `NotSent`.

    `field`: the wrong one of `bad_field`; `fields`: the whole frame.
    """

    code: str
    message: str
    of: str | None = None
    retry_after: float | None = None
    field: str | None = None
    fields: Mapping[str, Any] = dataclass_field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Dropped:
    """The own connection is gone, or did not come about; the client tries again by itself, in `after` seconds.

    `status`: what the server answered where it refused the handshake.
    """

    code: int
    after: float
    reason: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The client is back in its session. `chat` None: in no chat; `missed` messages follow."""

    chat: str | None
    missed: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The end: closed by this side, by the server for good, or given up. Nothing follows.

    `reason` says why and what to do; `status`, `body`: of a refused handshake.
    """

    code: int
    reason: str
    status: int | None = None
    body: str = ""


Event = (
    Hello | Waiting | Matched | Message | Sent | NotSent | Typing | Signal | Partner | Left | Saved | Reported | Pong
    | Blocked | Tip | Notice | Snap | Veil | Challenge | Solved | Error | Dropped | Resumed | Closed
)  # fmt: skip

Frame = Mapping[str, Any]


def matched(frame: Frame) -> Matched:
    """`matched`, and what `resumed` repeats of it."""
    return Matched(
        frame["chat"],
        frame["role"],
        tuple(frame["common"]),
        frame["language"],
        frame.get("college"),
        frame.get("question"),
        frame.get("offer"),
        tuple(frame.get("ice", ())),
    )


def hello(frame: Frame) -> Hello:
    """`hello`."""
    told = frame.get("statement", {})
    return Hello(frame["session"], frame["online"], frame["grace"], told.get("version", ""), told.get("from", 0))


def error(frame: Frame) -> Error:
    """`error`."""
    return Error(frame["code"], frame["message"], frame.get("of"), frame.get("retry_after"), frame.get("field"), frame)


READ: Final[dict[str, Callable[[Frame], Event]]] = {
    "hello": hello,
    "waiting": lambda f: Waiting(f["accepts"], f.get("widens"), f.get("others", False)),
    "matched": matched,
    "message": lambda f: Message(f["seq"], f["text"], f.get("from")),
    "sent": lambda f: Sent(f["id"], f["seq"]),
    "typing": lambda f: Typing(f["typing"], f.get("from")),
    "signal": lambda f: Signal({name: value for name, value in f.items() if name != "type"}),
    "partner": lambda f: Partner(f["state"], f.get("within"), f.get("from")),
    "left": lambda f: Left(f["by"], f.get("from")),
    "saved": lambda f: Saved(f["url"], f["delete"]),
    "reported": lambda f: Reported(f.get("receipt", ""), f.get("kept"), tuple(f.get("help", ()))),
    "blocked": lambda f: Blocked(f["token"], f.get("until")),
    "tip": lambda f: Tip(f["kind"], f["seq"], tuple(f.get("numbers", ()))),
    "notice": lambda f: Notice(f["id"], f["kind"], f["rule"], f["reason"], f["day"], f["by"], f["appeal"]),
    "snap": lambda f: Snap(f["nonce"], f["tiles"], f["gap"], f["mine"], f["within"]),
    "veil": lambda f: Veil(f["on"], f["why"]),
    "pong": lambda f: Pong(),
    "challenge": lambda f: Challenge(f["kind"], f["parameters"], f.get("within", 0.0)),
    "solved": lambda f: Solved(f["kind"]),
}
