"""Parse a client's text frame into a typed request, or raise a Refusal that names the fault (docs/protocol.md, rule 9).

**Invariant:** unknown fields are ignored, absent fields get their default, and a field of a wrong type, `null` included, is refused, never
converted.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from orjson import JSONDecodeError, loads

from engine.wire import protocol
from engine.wire.engine_errors import BadField, Refusal
from engine.wire.protocol import ANY_LANGUAGE, DEFAULT_LANGUAGE, INTEREST_RAW_MAX, INTERESTS_MAX, SPY, STRANGER
from engine.wire.signal_checks import checked

# all of C0 and C1 except \t and \n, and lone surrogates
_controls_of_text = re.compile("[\x00-\x08\x0b-\x1f\x80-\x9f\ud800-\udfff]").search
_controls_of_line = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_language = re.compile(r"(?:\*|([A-Za-z]{2,3})(?:-[A-Za-z0-9]{1,8})*)", re.ASCII).fullmatch

REASONS: Final = frozenset(protocol.REASONS)
ROLES: Final = frozenset(protocol.ROLES)
RAW_MAX: Final = protocol.INTERESTS_RAW_MAX
NO_SNAP: Final = frozenset(protocol.NO_SNAP)
FACES: Final = frozenset(protocol.FACES)
# these with an underscore are numbers of C in the compiled module, which no other module sees
_INTEREST_RAW_MAX: Final = INTEREST_RAW_MAX
_INTERESTS_MAX: Final = INTERESTS_MAX

Body = dict[str, Any]


@dataclass
class Find:
    """Search for a partner. `language` and `writes` are primary subtags in lower case, or `*`; `interests` are as typed."""

    video: bool
    interests: list[str]
    language: str
    strict: bool
    role: str
    question: str | None
    share: bool
    college: str | None  # "any", "same"
    proof: str
    relay: bool
    adult: bool
    writes: str = ANY_LANGUAGE  # language given to the partner if `language` is `*`
    avoid: tuple[str, ...] = ()  # tokens of `blocked`, the newest last
    snaps: bool = False  # the client answers `snap`
    pictures: bool = False  # the client shows pictures of its partner
    keep: bool = False  # the chat that is left may be resumed for a moment
    pairs: tuple[str, ...] = ()  # tokens of `pair`
    call: int = -1  # place in `pairs` of the user who is called; -1: none

    def fill(self, video: bool, role: str, college: str | None) -> None:
        """Set these fields, and all others to those of a frame without them. For a new object, without the cost of its constructor."""
        self.video = video
        self.interests = []
        self.language = DEFAULT_LANGUAGE
        self.strict = False
        self.role = role
        self.question = None
        self.share = False
        self.college = college
        self.proof = ""
        self.relay = False
        self.adult = False
        self.writes = ANY_LANGUAGE
        self.avoid = ()
        self.snaps = False
        self.pictures = False
        self.keep = False
        self.pairs = ()
        self.call = -1


@dataclass(slots=True)
class Message:
    """A message whose spelling is not canonical."""

    text: str
    id: str | None


@dataclass(slots=True)
class Typing:
    """The user began or stopped typing."""

    typing: bool


@dataclass(slots=True)
class Signal:
    """A WebRTC signal: one of `description`, `candidate`, `media`, with its known fields only."""

    body: Body


@dataclass(slots=True)
class Leave:
    """Leave the chat, or stop waiting."""


@dataclass(slots=True)
class Save:
    """Save the log of a chat, the current or the last; `chat` None: the current one, else the last."""

    chat: str | None = None


@dataclass(slots=True)
class Report:
    """Report a partner. `who`: 1 or 2 if a spy reports, else 0; `lines`: numbers of the reported lines; `chat`: as in Save."""

    reason: str
    note: str
    who: int
    lines: tuple[int, ...] = ()
    chat: str | None = None


@dataclass(slots=True)
class Seen:
    """Acknowledge a notice."""

    id: str


@dataclass(slots=True)
class Block:
    """Never match this partner again; `chat`: as in Save."""

    chat: str | None = None


@dataclass(slots=True)
class Again:
    """Meet this partner again, if they want it too; `chat`: as in Save."""

    chat: str | None = None


@dataclass(slots=True)
class Here:
    """Ask which users of kept pairs search now, by their tokens."""

    pairs: tuple[str, ...]


@dataclass(slots=True)
class Resume:
    """Resume an older session; `chat` None: its current chat."""

    token: str
    last: int
    chat: str | None


@dataclass(slots=True)
class Solution:
    """Answer to a challenge."""

    kind: str
    response: str


@dataclass(slots=True)
class NoSnap:
    """The client cannot send the pictures that a `snap` requested."""

    nonce: str
    why: str


@dataclass(slots=True)
class React:
    """Show `face` at line `seq` of the chat; an empty face takes the one shown back."""

    seq: int
    face: str = ""


@dataclass(slots=True)
class Pictures:
    """Allow pictures in this chat, from this side's point of view, or allow them no more."""

    allow: bool


@dataclass(slots=True)
class Picture:
    """Send the partner a picture: ask for a key to upload it. `id` is echoed."""

    id: str


@dataclass(slots=True)
class Ping:
    """A `ping` that is not canonical."""


Request = (
    Find | Message | Typing | Signal | Leave | Save | Report | Seen | Block | Again | Here | Resume | Solution | NoSnap | React | Pictures
    | Picture | Ping
)  # fmt: skip


def parse(payload: bytes) -> Request:
    """Parse a text frame of at most 64 KiB. Raises Refusal."""
    if payload == _PLAIN_LEAVE:
        return _LEAVE
    try:
        body = loads(payload)
    except JSONDecodeError:
        raise _unreadable(payload) from None
    if type(body) is not dict:
        raise Refusal("bad_json")
    return _request(body)


def _request(body: Body) -> Request:
    kind = body.get("type")
    if type(kind) is str:
        if kind == "find":
            return _find(body)
        build = _BUILDERS.get(kind)
        if build is not None:
            return build(body)
    raise Refusal("bad_type", kind if type(kind) is str and len(kind) <= 32 and kind.isascii() else None)


def _unreadable(payload: bytes) -> Refusal:
    """Return the Refusal for a frame that the fast parser refused: a lone surrogate differs from broken JSON, and counts if in a `message`."""
    try:
        body = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Refusal("bad_json")
    if type(body) is not dict or not re.search("[\ud800-\udfff]", json.dumps(body, ensure_ascii=False)):
        return Refusal("bad_json")
    kind, id = body.get("type"), body.get("id")
    known = type(kind) is str and kind in _BUILDERS
    return Refusal("control", kind if known else None, id if kind == "message" and _proper(id) else None)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _proper(id: Any) -> bool:
    """Whether `id` may be echoed as the id of a message."""
    if type(id) is not str or len(id) > protocol.ID_MAX:
        return False
    return id.isascii() or (not re.search("[\ud800-\udfff]", id) and len(id.encode()) <= protocol.ID_MAX)


def _flag(body: Body, name: str, of: str, default: bool | None = False) -> bool:
    value = body.get(name, default)
    if value is True or value is False:
        return value
    raise BadField(of, name)


def _string(body: Body, name: str, of: str, most: int, default: str | None = None) -> str:
    value = body.get(name, default)
    if type(value) is not str:
        raise BadField(of, name)
    if len(value) > most:
        raise Refusal("too_long", of)
    return value


def _find(body: Body) -> Find:
    """Check the fields in this order. `left` counts the fields not yet met, so that the check ends with the last one present."""
    left = len(body) - 1
    mode, role, college = "text", STRANGER, None
    if left and "mode" in body:
        left -= 1
        mode = body["mode"]
        if mode != "text" and mode != "video":
            raise BadField("find", "mode")
    if left and "role" in body:
        left -= 1
        role = body["role"]
        if type(role) is not str or role not in ROLES or (role != STRANGER and mode == "video"):
            raise BadField("find", "role")
    if left and "college" in body:
        left -= 1
        college = body["college"]
        if (college != "any" and college != "same") or role != STRANGER:
            raise BadField("find", "college")
    find = Find.__new__(Find)
    find.fill(mode == "video", role, college)
    if left and "interests" in body:
        left -= 1
        find.interests = _interests(body["interests"])
    if left and "language" in body:
        left -= 1
        find.language = _primary(body["language"], "language")
    if left and "strict" in body:
        left -= 1
        find.strict = _flag(body, "strict", "find")
    if role == SPY:
        left -= "question" in body
        find.question = _question(body)
    if left:
        _seldom(find, body)
    return find


def _seldom(find: Find, body: Body) -> None:
    """Read the fields that few searches have."""
    find.share = _flag(body, "share", "find")
    find.proof = _string(body, "proof", "find", protocol.PROOF_MAX, "")
    find.relay = _flag(body, "relay", "find")
    find.adult = _flag(body, "adult", "find")
    find.writes = _primary(body["writes"], "writes") if "writes" in body else ANY_LANGUAGE
    find.avoid = _avoid(body["avoid"]) if "avoid" in body else ()
    find.snaps = _flag(body, "snaps", "find")
    find.pictures = _flag(body, "pictures", "find")
    find.keep = _flag(body, "keep", "find")
    if "pairs" in body:
        find.pairs = _pairs(body["pairs"], "find")
    if "call" in body:
        find.call = _called(body["call"], find)


def _avoid(value: Any) -> tuple[str, ...]:
    if type(value) is not list:
        raise BadField("find", "avoid")
    if len(value) > protocol.AVOID_MAX:
        raise Refusal("too_long", "find")
    return tuple(_string({"avoid": token}, "avoid", "find", protocol.AVOID_TOKEN_MAX) for token in value)


def _pairs(value: Any, of: str) -> tuple[str, ...]:
    if type(value) is not list:
        raise BadField(of, "pairs")
    if len(value) > protocol.PAIRS_MAX:
        raise Refusal("too_long", of)
    return tuple(_string({"pairs": token}, "pairs", of, protocol.PAIR_TOKEN_MAX) for token in value)


def _called(value: Any, find: Find) -> int:
    if type(value) is not int or not 0 <= value < len(find.pairs) or find.role != STRANGER or find.college is not None:
        raise BadField("find", "call")
    return value


def _interests(value: Any) -> list[str]:
    if type(value) is not list:
        raise BadField("find", "interests")
    if len(value) > _INTERESTS_MAX:
        raise Refusal("too_long", "find")
    left = RAW_MAX
    for word in value:
        left -= _weighed(word, left)
    return value


def _weighed(word: Any, left: int) -> int:
    if type(word) is not str:
        raise BadField("find", "interests")
    size = len(word)
    if size > _INTEREST_RAW_MAX or size > left:
        raise Refusal("too_long", "find")
    if not word.isalnum():  # a word of letters and digits passes all checks below
        if not word.isprintable() and _controls_of_line(word):
            raise Refusal("control", "find")
        if not word or word.isspace():
            raise Refusal("empty", "find")
    return size


def _primary(value: Any, name: str) -> str:
    if type(value) is not str:
        raise BadField("find", name)
    if len(value) > protocol.LANGUAGE_MAX:
        raise Refusal("too_long", "find")
    if value == "en":
        return "en"
    found = _language(value)
    if found is None:
        raise BadField("find", name)
    return found[1].lower() if found[1] is not None else ANY_LANGUAGE


def _question(body: Body) -> str:
    question = _string(body, "question", "find", protocol.QUESTION_MAX)
    if _controls_of_line(question):
        raise Refusal("control", "find")
    if len(question.strip()) < protocol.QUESTION_MIN:
        raise BadField("find", "question") if question.strip() else Refusal("empty", "find")
    return question


def _message(body: Body) -> Message:
    id = None
    if "id" in body:
        id = body["id"]
        if type(id) is not str:
            raise BadField("message", "id")
        if not _proper(id):
            raise Refusal("too_long", "message")
    text = body.get("text")
    if type(text) is not str:
        raise BadField("message", "text", id)
    if not text:
        raise Refusal("empty", "message", id)
    if len(text) > protocol.TEXT_MAX:
        raise Refusal("too_long", "message", id)
    if _controls_of_text(text):
        raise Refusal("control", "message", id)
    return Message(text, id)


def _typing(body: Body) -> Typing:
    return Typing(_flag(body, "typing", "typing", None))


def _no_snap(body: Body) -> NoSnap:
    nonce, why = _string(body, "nonce", "nosnap", protocol.SNAP_NONCE), body.get("why")
    if type(why) is not str or why not in NO_SNAP:
        raise BadField("nosnap", "why")
    return NoSnap(nonce, why)


def _react(body: Body) -> React:
    seq, face = body.get("seq"), body.get("face", "")
    if type(seq) is not int or not 0 < seq < 2**53:
        raise BadField("react", "seq")
    if type(face) is not str or ("face" in body and face not in FACES):
        raise BadField("react", "face")
    return React(seq, face)


def _send_picture(body: Body) -> Picture:
    id = body.get("id")
    if type(id) is not str or not id or not _proper(id):
        raise BadField("picture", "id")
    return Picture(id)


def _report(body: Body) -> Report:
    reason, who = body.get("reason"), body.get("who", 0)
    if type(reason) is not str or reason not in REASONS:
        raise BadField("report", "reason")
    if type(who) is not int or not ("who" in body) <= who <= 2:
        raise BadField("report", "who")
    note = _string(body, "note", "report", protocol.NOTE_MAX, "")
    if _controls_of_text(note):
        raise Refusal("control", "report")
    return Report(reason, note, who, _marked(body), _which(body, "report"))


def _which(body: Body, of: str) -> str | None:
    """Return the chat that the frame names, or None."""
    return _string(body, "chat", of, protocol.CHAT_MAX) if "chat" in body else None


def _marked(body: Body) -> tuple[int, ...]:
    """Return the numbers of the reported lines."""
    lines = body.get("lines", ())
    if not lines and type(lines) in {tuple, list}:
        return ()
    fits = type(lines) is list and len(lines) <= protocol.MARKED_MAX
    if not fits or not all(type(line) is int and 0 < line < 2**53 for line in lines):
        raise BadField("report", "lines")
    return tuple(lines)


def _seen(body: Body) -> Seen:
    return Seen(_string(body, "id", "seen", protocol.NOTICE_ID_MAX))


def _resume(body: Body) -> Resume:
    last = body.get("last", 0)
    if type(last) is not int or last < 0:
        raise BadField("resume", "last")
    token = _string(body, "token", "resume", protocol.TOKEN_MAX)
    return Resume(token, last, _which(body, "resume"))


def _solution(body: Body) -> Solution:
    kind = _string(body, "kind", "solution", protocol.CHAT_MAX)
    return Solution(kind, _string(body, "response", "solution", protocol.SOLUTION_MAX))


_LEAVE: Final = Leave()
_PLAIN_LEAVE: Final = b'{"type":"leave"}'  # as clients write it
_PING: Final = Ping()

_BUILDERS: Final[dict[str, Callable[[Body], Request]]] = {
    "find": lambda body: _find(body),
    "message": _message,
    "typing": _typing,
    "signal": lambda body: Signal(checked(body)),
    "leave": lambda _: _LEAVE,
    "save": lambda body: Save(_which(body, "save")),
    "report": _report,
    "seen": _seen,
    "block": lambda body: Block(_which(body, "block")),
    "again": lambda body: Again(_which(body, "again")),
    "here": lambda body: Here(_pairs(body.get("pairs"), "here")),
    "resume": _resume,
    "solution": _solution,
    "nosnap": _no_snap,
    "react": _react,
    "pictures": lambda body: Pictures(_flag(body, "allow", "pictures", None)),
    "picture": _send_picture,
    "ping": lambda _: _PING,
}
