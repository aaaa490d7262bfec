"""Build the AsyncAPI 3 document that describes the WebSocket protocol.

**Invariant:** bounds and words come from `engine.wire.protocol`, and tests fail if the document lacks a field or frame that the server uses, or if
the server refuses an example.
"""

from typing import Any, Final

from engine.conduct.detection_consequences import KINDS
from engine.wire import protocol as p
from server.ops.version import VERSION

Schema = dict[str, Any]

BOOL: Final[Schema] = {"type": "boolean"}
NUMBER: Final[Schema] = {"type": "number", "minimum": 0}
WHOLE: Final[Schema] = {"type": "integer", "minimum": 0}
STRING: Final[Schema] = {"type": "string"}
WHO: Final[Schema] = {"type": "integer", "enum": [1, 2]}
WHICH: Final[dict[str, Schema]] = {"chat": {"type": "string", "maxLength": p.CHAT_MAX}}  # the chat that a frame means
MARKED: Final[Schema] = {
    "type": "array",
    "maxItems": p.MARKED_MAX,
    "items": {"type": "integer", "minimum": 1},
}  # numbers of lines
ROLE: Final[Schema] = {"type": "string", "enum": list(p.ROLES)}
DAY: Final[Schema] = {"type": "string", "format": "date"}
BY: Final[Schema] = {"type": "string", "enum": ["person", "machine"]}
HELP: Final[Schema] = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": STRING, "call": STRING, "url": STRING}, "required": ["name"]},
}
STATEMENT: Final[Schema] = {
    "type": "object",
    "properties": {"version": STRING, "from": WHOLE},
    "required": ["version", "from"],
}
ANNOUNCEMENT: Final[Schema] = {
    "type": "object",
    "properties": {"id": STRING, "texts": {"type": "object", "additionalProperties": STRING}, "until": WHOLE},
    "required": ["id", "texts"],
}
STATE: Final[Schema] = {"type": "string", "enum": ["away", "back", "asked", "paused"]}


def text(most: int, least: int = 0, **more: Any) -> Schema:
    """Return the schema of a string with bounds, in code points."""
    return {"type": "string", "maxLength": most, **({"minLength": least} if least else {}), **more}


DESCRIPTION: Final[Schema] = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": list(p.DESCRIPTIONS)}, "sdp": STRING},
    "required": ["type"],
    "description": f"At most {p.SDP_MAX} bytes.",
}
CANDIDATE: Final[Schema] = {
    "type": ["object", "null"],
    "properties": {
        "candidate": STRING, "sdpMid": {"type": ["string", "null"]}, "usernameFragment": {"type": ["string", "null"]},
        "sdpMLineIndex": {"type": ["integer", "null"], "minimum": 0, "maximum": 65_535},
    },
    "description": f"RTCIceCandidateInit, at most {p.CANDIDATE_MAX} bytes; null: no more.",
}  # fmt: skip
MEDIA: Final[Schema] = {
    "type": "object",
    "properties": {"camera": BOOL, "microphone": BOOL, "curtain": BOOL},
    "minProperties": 1,
}
FACE: Final[Schema] = {"type": "string", "enum": list(p.FACES)}
REACTIONS: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"seq": WHOLE, "face": FACE, "own": BOOL, "from": WHO},
        "required": ["seq", "face"],
    },
}
SENT: Final[dict[str, Schema]] = {
    "key!": text(p.SNAP_NONCE, p.SNAP_NONCE),
    "seq!": WHOLE,
    "veil": {"type": "string", "enum": list(p.SENT_VEILS)},
    "own": BOOL,
}
SENT_ITEM: Final[Schema] = {
    "type": "object",
    "properties": {name.rstrip("!"): schema for name, schema in SENT.items()},
    "required": ["key", "seq"],
}
ALBUM: Final[Schema] = {
    "type": "object",
    "properties": {
        "own": BOOL,
        "theirs": BOOL,
        "sent": {"type": "array", "maxItems": 2 * p.SENT_MOST, "items": SENT_ITEM},
    },
    "required": ["own", "theirs"],
}
SIGNAL: Final = {"description": DESCRIPTION, "candidate": CANDIDATE, "media": MEDIA}

PAIRS: Final[Schema] = {"type": "array", "maxItems": p.PAIRS_MAX, "items": text(p.PAIR_TOKEN_MAX)}
PLACE: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": p.PAIRS_MAX - 1}
LANGUAGE: Final = r"^(\*|[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)$"

# By type: the description, the fields (required ones end with `!`), an example of the fields.
CLIENT: Final[dict[str, tuple[str, dict[str, Schema], dict[str, Any]]]] = {
    "find": (
        "Look for a partner. In a chat: leaves it first. While waiting: replaces the request.",
        {
            "mode": {"type": "string", "enum": ["text", "video"], "default": "text"},
            "interests": {"type": "array", "maxItems": p.INTERESTS_MAX, "items": text(p.INTEREST_RAW_MAX, 1)},
            "language": text(p.LANGUAGE_MAX, default=p.DEFAULT_LANGUAGE, pattern=LANGUAGE),
            "strict": BOOL, "role": {**ROLE, "default": p.STRANGER}, "question": {}, "share": BOOL,
            "college": {"type": "string", "enum": ["any", "same"]}, "proof": text(p.PROOF_MAX), "relay": BOOL, "adult": BOOL,
            "writes": text(p.LANGUAGE_MAX, default=p.ANY_LANGUAGE, pattern=LANGUAGE),
            "avoid": {"type": "array", "maxItems": p.AVOID_MAX, "items": text(p.AVOID_TOKEN_MAX)}, "snaps": BOOL, "keep": BOOL,
            "pictures": BOOL,
            "pairs": PAIRS, "call": PLACE,
        },
        {"interests": ["chess"], "language": "en", "strict": True},
    ),
    "message": ("Say something.", {"text!": text(p.TEXT_MAX, 1), "id": text(p.ID_MAX)}, {"text": "hello", "id": "1"}),
    "typing": ("Types, or stopped.", {"typing!": BOOL}, {"typing": True}),
    "signal": ("One of the three, in a video chat.", SIGNAL, {"media": {"camera": True, "microphone": False}}),
    "leave": ("Leave the chat, or stop waiting; no answer.", {}, {}),
    "save": ("Keep the log of this chat, or of the last one.", WHICH, {}),
    "report": (
        "Report the partner of this chat, or of the last one.",
        {"reason!": {"type": "string", "enum": list(p.REASONS)}, "note": text(p.NOTE_MAX), "who": WHO, "lines": MARKED, **WHICH},
        {"reason": "spam", "note": "sells things"},
    ),
    "block": ("Not the partner of this chat, or of the last one, again: answered by `blocked`.", WHICH, {}),
    "again": ("Meet the partner of this chat, or of the last one, again, if they want it too: then answered by `pair`, to both.", WHICH, {}),
    "here": ("Ask which users of kept pairs search now: answered by `here`.", {"pairs!": PAIRS}, {"pairs": []}),
    "seen": ("A notice was read; no answer.", {"id!": text(p.NOTICE_ID_MAX)}, {"id": "of notice"}),
    "resume": (
        "The first frame of a connection that goes on with an older session.",
        {"token!": text(p.TOKEN_MAX), "last": {**WHOLE, "default": 0}, "chat": text(p.CHAT_MAX)},
        {"token": "of hello", "last": 0},
    ),
    "solution": (
        "The answer to a challenge (`age`: adult or minor): answered `solved`, or by another `challenge`, one level up.",
        {"kind!": text(p.CHAT_MAX), "response!": text(p.SOLUTION_MAX)}, {"kind": "altcha", "response": "x"},
    ),
    "nosnap": (
        "Pictures that a `snap` asked for cannot be given; no answer.",
        {"nonce!": text(p.SNAP_NONCE), "why!": {"type": "string", "enum": list(p.NO_SNAP)}}, {"nonce": "of snap", "why": "camera"},
    ),
    "react": (
        "Show a face at a line of the chat, in place of an earlier one of this side; without `face` take it back; no answer.",
        {"seq!": {**WHOLE, "minimum": 1}, "face": FACE}, {"seq": 1, "face": "heart"},
    ),
    "pictures": ("Allow pictures in this chat (also: ask for them), or allow them no more; no answer.", {"allow!": BOOL}, {"allow": True}),
    "picture": (
        "Send the partner a picture, if both allow it: answered by `upload`, then, after its check, by `picture` with `own`.",
        {"id!": text(p.ID_MAX, 1)}, {"id": "p1"},
    ),
    "ping": ("Answered by `pong`.", {}, {}),
}  # fmt: skip
SPY_ASKS: Final[Schema] = {  # a question of another role is ignored
    "if": {"properties": {"role": {"const": p.SPY}}, "required": ["role"]},
    "then": {"properties": {"question": text(p.QUESTION_MAX, p.QUESTION_MIN)}, "required": ["question"]},
}
MATCHED: Final[dict[str, Schema]] = {
    "chat!": STRING, "role!": ROLE, "common!": {"type": "array", "items": STRING}, "language!": STRING, "side": WHO, "college": STRING,
    "question": STRING,
    "pictures": BOOL, "offer": BOOL, "ice": {"type": "array", "items": {"type": "object"}},
}  # fmt: skip
SERVER: Final[dict[str, tuple[str, dict[str, Schema]]]] = {
    "hello": (
        "The first frame; `statement`: the newest privacy statement, and the Unix time from which it holds, which may be to come.",
        {"session!": STRING, "token!": STRING, "online!": WHOLE, "grace!": NUMBER, "statement": STATEMENT},
    ),
    "waiting": (
        "No partner yet.", {"accepts!": {"type": "string", "enum": sorted(set(p.ACCEPTS))}, "widens": NUMBER, "others": BOOL},
    ),
    "matched": ("A chat begins.", MATCHED),
    "message": ("A line of the chat.", {"seq!": WHOLE, "text!": STRING, "from": WHO}),
    "sent": ("The message with this id was taken.", {"id!": STRING, "seq!": WHOLE}),
    "typing": ("Types, or stopped.", {"typing!": BOOL, "from": WHO}),
    "react": ("The partner shows a face at a line; without `face` they took it back.", {"seq!": WHOLE, "face": FACE, "from": WHO}),
    "pictures": ("The partner allows pictures in this chat, or allows them no more.", {"allow!": BOOL}),
    "upload": (
        "POST the picture with this id as JPEG to /api/picture/KEY, within so many seconds.",
        {"id!": text(p.ID_MAX, 1), "key!": text(p.SNAP_NONCE, p.SNAP_NONCE), "within!": WHOLE},
    ),
    "picture": (
        "A picture of the partner, or with `own` and `id` of this user, after line `seq`: GET /api/picture/KEY while the chat runs. "
        "`veil`: a program found it unsafe, or none could tell what it shows.",
        {**SENT, "id": text(p.ID_MAX, 1)},
    ),
    "signal": ("As sent.", SIGNAL),
    "partner": (
        "The partner's connection dropped, or came back; or they are asked for their age, and the chat is held until `back`. "
        "`paused`: this user's lines wait until `back`.",
        {"state!": STATE, "within": NUMBER, "from": WHO},
    ),
    "kept": (
        "After a `find` with `keep`: the chat that was left can be resumed by this token, on a new connection, within so many seconds.",
        {"token!": text(p.TOKEN_MAX), "within!": NUMBER},
    ),
    "left": ("The chat is over.", {"by!": {"type": "string", "enum": list(p.LEFT_BY)}, "from": WHO}),
    "resumed": (
        "Back in the session.",
        {
            **{name.rstrip("!"): schema for name, schema in MATCHED.items()}, "chat!": {"type": ["string", "null"]}, "seq!": WHOLE, "taken!": WHOLE,
            "refused": {"type": "array", "items": WHOLE}, "missed!": WHOLE, "reactions": REACTIONS,
            "album": ALBUM,
        },
    ),
    "saved": ("The log is kept.", {"url!": STRING, "delete!": STRING}),
    "reported": (
        "The report was taken; `receipt`: the path at which to read what came of it; `help`: whom to call, with `danger`.",
        {"receipt": STRING, "kept": WHOLE, "help": HELP},
    ),
    "blocked": (
        "What `find` takes as `avoid`; without `until` it is good for the partner's visit.",
        {"token!": text(p.AVOID_TOKEN_MAX, 1), "until": WHOLE},
    ),
    "pair": (
        "Both of a chat want to meet again: what `find` takes in `pairs`, and `here`.",
        {"chat!": STRING, "token!": text(p.PAIR_TOKEN_MAX, 1), "until!": WHOLE},
    ),
    "here": ("The places, in `pairs` of the question, of those whose other half searches now.", {"pairs!": {"type": "array", "items": PLACE}}),
    "called": (
        "The other half of a pair of the search calls, in this mode, or calls no more; `pair`: its place in `pairs`.",
        {"pair!": PLACE, "mode!": {"type": "string", "enum": ["text", "video"]}, "on!": BOOL},
    ),
    "tip": (
        "A program found something in a line of the stranger or (`help`, `private`, `hate`) of your own; each kind once a chat.",
        {"kind!": {"type": "string", "enum": list(KINDS)}, "seq!": WHOLE, "numbers": HELP},
    ),
    "notice": (
        "To be read before the next `find` is taken.",
        {
            "id!": text(p.NOTICE_ID_MAX, 1), "kind!": {"type": "string", "enum": ["warning", "pause", "info"]}, "rule!": STRING, "reason!": STRING,
            "day!": DAY, "by!": BY, "appeal!": STRING,
        },
    ),
    "service": (
        "What the operators say to all users; replaces what was said before. During maintenance no `find` is taken, and chats continue.",
        {"announcement": ANNOUNCEMENT, "maintenance": {"type": "object", "properties": {"until": WHOLE}}, "read_only": BOOL},
    ),
    "snap": (
        "Pictures of the stranger (and with `mine` of the own camera) are wanted, within so many seconds: POST /api/snap/NONCE/theirs, and /mine.",
        {"nonce!": text(p.SNAP_NONCE, p.SNAP_NONCE), "tiles!": WHOLE, "gap!": WHOLE, "mine!": BOOL, "within!": NUMBER},
    ),
    "veil": (
        "`nudity`: blur and mute the stranger, or no longer; `unchecked`: hang up the call, the chat goes on by text; `by`: an operator did.",
        {"on!": BOOL, "why!": {"type": "string", "enum": list(p.VEILS)}, "by": {"type": "string", "enum": ["operator"]}},
    ),
    "pong": ("The answer to `ping`.", {}),
    "challenge": (
        "To be solved before the next `find`, within so many seconds; `age`: they wrote that they are under 18: a chat is held until the answer.",
        {"kind!": STRING, "parameters!": {"type": "object"}, "within!": NUMBER},
    ),
    "solved": ("The solution was right: the next `find` is taken.", {"kind!": STRING}),
    "error": (
        "A frame was not taken, or the connection closes behind this: " + ", ".join(
            f"{code} {fault.close}" for code, fault in p.FAULTS.items() if fault.close
        ) + ".",
        {
            "code!": {"type": "string", "enum": list(p.FAULTS)}, "message!": STRING, "of": STRING, "id": STRING, "field": STRING,
            "retry_after": NUMBER,
            "until": WHOLE, "rule": STRING, "reason": STRING, "network": BOOL, "appeal": STRING, "measure": {"type": "string", "enum": [p.AGE]},
            "day": DAY, "by": BY,
        },
    ),
}  # fmt: skip


def payload(kind: str, fields: dict[str, Schema]) -> Schema:
    """Return the schema of a frame. Unknown fields are ignored, so they are allowed."""
    properties = {"type": {"const": kind}, **{name.rstrip("!"): schema for name, schema in fields.items()}}
    return {
        "type": "object",
        "properties": properties,
        "required": ["type", *(name[:-1] for name in fields if name.endswith("!"))],
        **({"minProperties": 2} if kind == "signal" else {}),
        **(SPY_ASKS if kind == "find" else {}),
    }


ABOUT: Final = (
    "The rules that a schema cannot say are in docs/protocol.md. Where WebSockets do not pass, the same messages pass by HTTP requests: /api/poll, "
    "in openapi.json."
)


def document() -> dict[str, Any]:
    """Return the whole document as JSON values."""
    messages: dict[str, Any] = {}
    for kind, (says, fields, example) in CLIENT.items():
        made = _message(kind, says, fields)
        messages["client." + kind] = made | {"examples": [{"payload": {"type": kind, **example}}]}
    for kind, (says, fields) in SERVER.items():
        messages["server." + kind] = _message(kind, says, fields)
    channel = {"$ref": "#/channels/ws"}
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "serendip.v1", "version": VERSION, "description": ABOUT},
        "defaultContentType": "application/json",
        "servers": {"here": {"host": "localhost:8080", "protocol": "ws"}},
        "channels": {"ws": {"address": "/ws", "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages}}},
        "operations": {
            name: {"action": action, "channel": channel, "messages": [{"$ref": f"#/channels/ws/messages/{side}.{kind}"} for kind in kinds]}
            for name, action, side, kinds in (("fromClient", "receive", "client", CLIENT), ("fromServer", "send", "server", SERVER))
        },
        "components": {"messages": messages},
    }  # fmt: skip


def _message(kind: str, says: str, fields: dict[str, Schema]) -> dict[str, Any]:
    return {"name": kind, "summary": says, "payload": payload(kind, fields)}
