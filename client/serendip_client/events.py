"""Define the events that a client reads: one class per frame that the server sends (docs/protocol.md), and a few for the connection itself.

Times are seconds, as floats. `who` is 1 or 2, the discusser that an event is about; only a spy's events have it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Hello:
    """A connection is open. `grace`: seconds for which a dropped connection may be resumed; after a close with 1001 at most 5.

    `statement`: the newest version of the privacy statement (`3.2`, readable at `/privacy/3.2`); `since`: the Unix time from which it
    applies, possibly in the future; empty and 0 if the server does not tell.
    """

    session: str
    online: int
    grace: float
    statement: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The search waits for a partner. `widens`: seconds until `accepts` changes, None at the last step."""

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
    side: int | None = None  # 1 or 2: which of the two this user is; None for a spy
    pictures: bool = False  # the two can send each other pictures


@dataclass(frozen=True, slots=True)
class Message:
    """A message from the partner."""

    seq: int
    text: str
    who: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The server accepted the message `id`. `seq` None: known from a resume, which does not tell the number."""

    id: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class NotSent:
    """The message `id` was not delivered; no other event reports it.

    `code`: the server's error (`retry_after`: seconds, if given); for a message that was never sent `left` (this side left first), `lost`
    (the chat had ended on reconnecting) or `closed`. `unknown`: it was sent, and the connection broke before the answer in a chat that has
    ended since: the partner may have received it.
    """

    id: str
    text: str
    code: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Typing:
    """The partner types, or stopped."""

    typing: bool
    who: int | None = None


@dataclass(frozen=True, slots=True)
class React:
    """The partner shows `face` at line `seq`; None: they removed it. `own`: this side's, as `resumed` repeats it."""

    seq: int
    face: str | None
    who: int | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class PicturesAllowed:
    """The partner allows pictures in this chat, or (`allow` False) allows them no more."""

    allow: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """The picture `id` is to be posted under `key`, which the client does itself."""

    id: str
    key: str
    within: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the partner, or (`own`, `id`) of this side, behind line `seq`. `veil`: why it needs a second press to be seen, or None."""

    key: str
    seq: int
    veil: str | None = None
    own: bool = False
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """A WebRTC signal, as sent."""

    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Partner:
    """The partner's connection dropped (`away`, may return `within` seconds), or came `back`.

    `asked`: they are asked for their age; no line passes until `back`. `paused`: many chats of this user or their network began alike;
    their lines are refused with `too_fast` until `back`, which comes with the partner's first line or after `within` seconds.
    """

    state: str
    within: float | None
    who: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """The chat that `find(keep=True)` left can be resumed `within` seconds, by a `resume` with `token` on another connection."""

    token: str
    within: float


@dataclass(frozen=True, slots=True)
class Left:
    """The chat has ended."""

    by: str
    who: int | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """The chat's log is saved."""

    url: str
    delete: str


@dataclass(frozen=True, slots=True)
class Reported:
    """The report was accepted. `receipt`: the path at which to read the outcome, for `kept` days after it; empty if the server keeps none.

    `help`, with the reason `danger`: help lines, each with `name`, and `call` (a number), `url` or both.
    """

    receipt: str = ""
    kept: int | None = None
    help: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Blocked:
    """A token for `find(avoid=…)`, which excludes that partner. `until`: Unix seconds; None: until the partner's visit ends."""

    token: str
    until: int | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Both of a chat want to meet again: `token` is for `find(pairs=…)`, until this Unix time."""

    chat: str
    token: str
    until: int


@dataclass(frozen=True, slots=True)
class Here:
    """Places, in the `pairs` that were asked for, of the users who search now."""

    pairs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Called:
    """The other half of the search's pair at this place calls, or calls no more (`on`)."""

    pair: int
    mode: str
    on: bool


@dataclass(frozen=True, slots=True)
class Tip:
    """The server detected something in line `seq` of the chat; it requires nothing, and each kind occurs once per chat.

    `kind`: for a partner's line link, contact, money, secrecy or minor; for one's own help or private. `numbers`: help lines, for `help`.
    """

    kind: str
    seq: int
    numbers: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that must be read before the next search: until `Client.seen(id)` a `find` is refused with `notice`.

    `kind`: warning, pause or info; `rule`: R1 to R7; `reason`: a sentence; `day`: YYYY-MM-DD; `by`: person or machine; `appeal`: the path
    at which to read the reasons and to appeal.
    """

    id: str
    kind: str
    rule: str
    reason: str
    day: str
    by: str
    appeal: str


@dataclass(frozen=True, slots=True)
class Service:
    """Message of the operators to all users; each replaces the one before.

    `texts`: an announcement by language, empty: none; `maintenance`: no search is accepted, and chats continue; `until`: Unix seconds at which
    it is expected to end; `read_only`: no chat can be saved, because the server's database or object store is away, or its disk is full.
    """

    texts: dict[str, str]
    maintenance: bool
    until: int | None
    read_only: bool


@dataclass(frozen=True, slots=True)
class Snap:
    """The server requests pictures of a video chat for safety; the client answers automatically (`Client(pictures=…)`).

    `tiles` pictures of the partner, `gap` milliseconds apart, and with `mine` one of the own camera, `within` so many seconds.
    """

    nonce: str
    tiles: int
    gap: int
    mine: bool
    within: float


@dataclass(frozen=True, slots=True)
class Veil:
    """`nudity`: blur and mute the partner (`on`), or show it again. `unchecked`: hang up the call; the chat continues as text."""

    on: bool
    why: str


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge to solve before the next search, within so many seconds.

    `age`: the user wrote that they are under 18, and is asked for their age; a chat is held until the answer, unless `parameters` has `hint`.
    """

    kind: str
    parameters: Mapping[str, Any]
    within: float = 0.0


@dataclass(frozen=True, slots=True)
class Solved:
    """The solution was correct: the next search is accepted."""

    kind: str


@dataclass(frozen=True, slots=True)
class Error:
    """The server refused a frame, or is about to close; a refused message is a `NotSent` instead.

    `field`: the wrong field of `bad_field`; `fields`: the whole frame.
    """

    code: str
    message: str
    of: str | None = None
    retry_after: float | None = None
    field: str | None = None
    fields: Mapping[str, Any] = dataclass_field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection dropped, or could not be made; the client tries again in `after` seconds.

    `status`: the HTTP status of a refused handshake.
    """

    code: int
    after: float
    reason: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The client is back in its session. `chat` None: it is in no chat; `missed` messages follow; `reactions`, `pictures`: all of the chat."""

    chat: str | None
    missed: int
    reactions: tuple[React, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """The final event: closed by this side, by the server for good, or given up.

    `reason` says why and what to do; `status`, `body`: of a refused handshake.
    """

    code: int
    reason: str
    status: int | None = None
    body: str = ""


Event = (
    Hello | Waiting | Matched | Message | Sent | NotSent | Typing | Signal | Partner | Left | Saved | Reported | Pong
    | Blocked | Kept | Pair | Here | Called | React | PicturesAllowed | Upload | Picture | Tip | Notice | Service | Snap | Veil | Challenge | Solved
    | Error | Dropped | Resumed | Closed
)  # fmt: skip

Frame = Mapping[str, Any]


def matched(frame: Frame) -> Matched:
    """Read `matched`, or the parts of it that `resumed` repeats."""
    return Matched(
        frame["chat"],
        frame["role"],
        tuple(frame["common"]),
        frame["language"],
        frame.get("college"),
        frame.get("question"),
        frame.get("offer"),
        tuple(frame.get("ice", ())),
        frame.get("side"),
        frame.get("pictures", False),
    )


def hello(frame: Frame) -> Hello:
    """Read a `hello` frame."""
    told = frame.get("statement", {})
    return Hello(frame["session"], frame["online"], frame["grace"], told.get("version", ""), told.get("from", 0))


def service(frame: Frame) -> Service:
    """Read a `service` frame."""
    texts, maintenance = frame.get("announcement", {}).get("texts", {}), frame.get("maintenance")
    return Service(texts, maintenance is not None, (maintenance or {}).get("until"), frame.get("read_only", False))


def react(frame: Frame) -> React:
    """Read a `react` frame, or an entry of `reactions`."""
    return React(frame["seq"], frame.get("face"), frame.get("from"), frame.get("own", False))


def picture(frame: Frame) -> Picture:
    """Read a `picture` frame, or an entry of `sent`."""
    return Picture(frame["key"], frame["seq"], frame.get("veil"), frame.get("own", False), frame.get("id"))


def error(frame: Frame) -> Error:
    """Read an `error` frame."""
    return Error(frame["code"], frame["message"], frame.get("of"), frame.get("retry_after"), frame.get("field"), frame)


READ: Final[dict[str, Callable[[Frame], Event]]] = {
    "hello": hello,
    "waiting": lambda f: Waiting(f["accepts"], f.get("widens"), f.get("others", False)),
    "matched": matched,
    "message": lambda f: Message(f["seq"], f["text"], f.get("from")),
    "sent": lambda f: Sent(f["id"], f["seq"]),
    "typing": lambda f: Typing(f["typing"], f.get("from")),
    "signal": lambda f: Signal({name: value for name, value in f.items() if name != "type"}),
    "react": react,
    "pictures": lambda f: PicturesAllowed(f["allow"]),
    "upload": lambda f: Upload(f["id"], f["key"], f["within"]),
    "picture": picture,
    "partner": lambda f: Partner(f["state"], f.get("within"), f.get("from")),
    "kept": lambda f: Kept(f["token"], f["within"]),
    "left": lambda f: Left(f["by"], f.get("from")),
    "saved": lambda f: Saved(f["url"], f["delete"]),
    "reported": lambda f: Reported(f.get("receipt", ""), f.get("kept"), tuple(f.get("help", ()))),
    "blocked": lambda f: Blocked(f["token"], f.get("until")),
    "pair": lambda f: Pair(f["chat"], f["token"], f["until"]),
    "here": lambda f: Here(tuple(f["pairs"])),
    "called": lambda f: Called(f["pair"], f["mode"], f["on"]),
    "tip": lambda f: Tip(f["kind"], f["seq"], tuple(f.get("numbers", ()))),
    "notice": lambda f: Notice(f["id"], f["kind"], f["rule"], f["reason"], f["day"], f["by"], f["appeal"]),
    "service": service,
    "snap": lambda f: Snap(f["nonce"], f["tiles"], f["gap"], f["mine"], f["within"]),
    "veil": lambda f: Veil(f["on"], f["why"]),
    "pong": lambda f: Pong(),
    "challenge": lambda f: Challenge(f["kind"], f["parameters"], f.get("within", 0.0)),
    "solved": lambda f: Solved(f["kind"]),
}
