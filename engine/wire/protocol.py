"""Declare the protocol as data: each number, level, kind, code and sentence of docs/protocol.md, once.

`python -m engine.wire.protocol_copy_generator` generates copies for the compiled modules and the web page; a test compares them.
**Invariant:** data only; imports no module of the project.
"""

from dataclasses import dataclass
from typing import Final

# Faults: the whole error contract on one screen.


@dataclass(frozen=True)
class Fault:
    """Text of an error code, its close code (`close`, 0: the connection stays open) and whether the client may reconnect (`back`)."""

    message: str
    close: int = 0
    back: bool = True


FAULTS: Final[dict[str, Fault]] = {
    # the frame is refused, and the connection stays open
    "bad_json": Fault("The frame is not one JSON object."),
    "bad_type": Fault("This type of frame is unknown, or has no place here."),
    "bad_field": Fault("A field is missing, of a wrong type, or has a value that is not allowed."),
    "too_long": Fault("A field is longer than allowed."),
    "empty": Fault("A text has no characters."),
    "control": Fault("A text holds a control character or half a character."),
    "no_chat": Fault("There is no chat."),
    "not_waiting": Fault("You are neither in a chat nor waiting."),
    "slow": Fault("Your partner takes messages too slowly; this one was not delivered."),
    "too_fast": Fault("Too fast. Wait a moment."),
    "no_session": Fault("That session cannot be resumed; this connection goes on as a new one."),
    "no_college": Fault("There is no valid proof of a college address."),
    "no_turn": Fault("This server has no relay for video."),
    "not_saved": Fault("The chat could not be saved."),
    "challenge": Fault("The challenge comes first."),
    "adult": Fault("Only adults may use this service."),
    "notice": Fault("There is a notice to read first."),
    "snaps": Fault("Video is not possible now: its pictures cannot be checked."),
    "pictures": Fault("Pictures cannot be sent in this chat now."),
    "no_picture": Fault("This picture is not shown to your partner."),
    "no_pair": Fault("These two cannot keep in touch: one side has no cookie, or was reported."),
    "maintenance": Fault("No new chats begin during maintenance; running ones continue."),
    # the connection is closed after the error; codes below 4000 are of RFC 6455
    "protocol": Fault("This is not a WebSocket frame that the protocol allows.", 1002, back=False),
    "binary": Fault("Only text frames are spoken here.", 1003, back=False),
    "encoding": Fault("A text frame is not UTF-8.", 1007, back=False),
    "too_big": Fault("A frame or message is larger than 64 KiB.", 1009, back=False),
    "internal": Fault("The server failed.", 1011),
    "restart": Fault("The server restarts; come back in a moment.", 1012),
    "busy": Fault("The server is full; come back in a moment.", 1013),
    "banned": Fault("You are banned.", 4003, back=False),
    "country": Fault("This service is not offered in your country.", 4003, back=False),
    "removed": Fault("An operator of this service ended your session.", 4003, back=False),
    "flood": Fault("Too much, too fast. Come back later.", 4008),
    "replaced": Fault("Another connection goes on with this session.", 4009, back=False),
}

CLOSE_LEFT: Final = 1000  # sent by a client that leaves; no other code means this
CLOSE_AWAY: Final = 1001  # sent by a client whose page goes away and may come back
CLOSE_NONE: Final = 1006  # never on the wire: the connection ended without a close frame

COME_BACK: Final = frozenset(
    {CLOSE_AWAY, CLOSE_NONE} | {fault.close for fault in FAULTS.values() if fault.close and fault.back}
)  # a client may reconnect after these close codes and no others

TOO_FAST_RETRY_AFTER: Final = 1  # seconds, for a message or frame: a second brings 20 messages, 50 frames
FLOOD_RETRY_AFTER: Final = (
    10  # seconds that a flooding client must stay away: this stops a script, and spares a stuck key
)
# Seconds after which a client that a full or overloaded server refused may come again: drawn at random, so that not all come at once.
FULL_AFTER_LEAST: Final = 5
FULL_AFTER_MOST: Final = 30
MAINTENANCE_RETRY_AFTER: Final = 60  # seconds, for a search during maintenance

# Events that a connection sends the engine: their kinds, and how a connection was lost (rule 4).

OPENED: Final = 0  # accepted
FRAME: Final = 1  # a text frame that needs a decision
LOST: Final = 2  # lost, in one of the ways below
CONFIRMED: Final = 3  # the first text frame after `resumed` arrived
HTTP: Final = 4  # it speaks HTTP and was handed over
FRAMES: Final = 5  # frames for a virtual connection
UNTUNNELLED: Final = 6  # its tunnel to another host ended, in one of the ways below
RECORD: Final = 7  # a record from the other end of its tunnel, for this host and not for the client
HALVED: Final = 8  # its client dropped: the other end of its tunnel is read to its end, and may send the session back

LEFT: Final = 0  # the client closed with 1000 or without a code: it left
DROPPED: Final = 1  # the client or the network ended it in any other way: it may come back
BROKEN: Final = 2  # the server closed it for an invalid frame
FLOODED: Final = 3  # the server closed it for flooding: it may come back later
CLOSED: Final = 4  # the client closed with 1001: its page is gone or reloads

TUNNEL_ENDED: Final = 0  # the other host closed it at a frame boundary: the client is to be taken out
TUNNEL_BROKE: Final = 1  # the other host is gone, or broke the protocol: the client is to be taken out
TUNNEL_CLOSED: Final = 2  # the other host closed the client's connection, which ends by itself
TUNNEL_LEFT: Final = 3  # the client is gone

# Kinds of connections, as bits: they decide which challenges the client can solve.

PLAIN: Final = 1  # a page loaded over plain http from a host other than loopback: the browser gives it no cryptography
PRIVATE: Final = 2  # it asks not to be tracked (Sec-GPC): no other company may see it
PROGRAM: Final = 4  # a program of another protocol, which knows no challenges of this one

CHALLENGE_WAITS: Final = (0.0, 3.0, 8.0, 20.0)  # seconds, by level, for a client that can solve none

# Levels (rule 6): how demanding a waiting user is.

GOOD: Final = 0  # the overlap is good, see GOOD_PART
ANY: Final = 1  # any overlap
ANYONE: Final = 2  # no overlap is needed
LIFTED: Final = 3  # at `anyone` so long that a recent partner is better than none (rule 7)
ACCEPTS: Final = ("good", "any", "anyone", "anyone")  # by level, as in `waiting`

GOOD_PART: Final = 2  # an overlap is good if its weight is at least 1/GOOD_PART of what either of the two named
QUIET_BELOW: Final = 60  # arrivals in the last minute; in a pool with fewer any overlap is good
ANY_AFTER: Final = 3.0  # seconds at `good`, at most
ANYONE_AFTER: Final = 10.0  # seconds until `anyone`, at most
LIFT_AFTER: Final = 20.0  # seconds at `anyone` until it is lifted

# Values of fields.

STRANGER: Final = "stranger"  # a role, and the value of `by` if the partner left
SPY: Final = "spy"
DISCUSS: Final = "discuss"
ROLES: Final = (STRANGER, SPY, DISCUSS)
MINOR: Final = "minor"  # a report reason: the user seems to be under 18; also an answer to the challenge `age`
ADULT: Final = "adult"  # the other answer
REASONS: Final = (
    MINOR,
    "nudity",
    "threat",
    "hate",
    "spam",
    "danger",
    "other",
)  # report reasons, in the order of the page
DESCRIPTIONS: Final = ("offer", "answer", "pranswer", "rollback")  # RTCSdpType
MODERATION: Final = "moderation"  # the value of `by` if the server ended the chat
AGE: Final = "age"  # the challenge of a user who wrote that they are under 18
LEFT_BY: Final = (STRANGER, MODERATION, "lost")
FACES: Final = {  # reactions, in the order of the page
    "heart": "\u2764\ufe0f",
    "laugh": "\U0001f602",
    "wow": "\U0001f62e",
    "sad": "\U0001f622",
    "thumb": "\U0001f44d",
    "thanks": "\U0001f64f",
}
NO_SNAP: Final = ("camera", "hidden", "early")  # why a client cannot send the requested pictures
VEILS: Final = ("nudity", "unchecked")  # why the partner is blurred, or the call ended
ANY_LANGUAGE: Final = "*"
DEFAULT_LANGUAGE: Final = "en"
SIDES: Final = 3  # of a chat: the two who talk, and a watcher
WATCHER: Final = 2  # the side of a spy

# Bounds of a client's frame ("Client to server").

FRAME_MAX: Final = 64 * 1024  # bytes of a frame or message
TEXT_MAX: Final = 2_000  # code points of a message
ID_MAX: Final = 64  # bytes in UTF-8: room for a UUID and a prefix
ID_ESCAPED_MAX: Final = 6 * ID_MAX  # bytes of an id as JSON: a control character is written \u0000
INTERESTS_MAX: Final = 32  # more than anyone types; the index pays for each
INTEREST_MAX: Final = 64  # code points after normalisation
INTEREST_RAW_MAX: Final = 256  # code points as typed: NFKC makes up to 18 of one, so more cannot shrink honestly
INTERESTS_RAW_MAX: Final = INTERESTS_MAX * INTEREST_MAX  # code points as typed, of all interests of a find together
LANGUAGE_MAX: Final = 35  # RFC 5646, 4.4.1: the longest tag that must be supported
QUESTION_MIN: Final = 10  # code points: a shorter one is no question to discuss
QUESTION_MAX: Final = 200  # as Omegle had it
NOTE_MAX: Final = 1_000  # code points of a report's note
MARKED_MAX: Final = 20  # lines that a report names
NOTICE_ID_MAX: Final = 64  # characters of a notice's id; the server makes 22
AVOID_MAX: Final = 16  # tokens of blocked persons in a find: as many as a ticket holds
AVOID_TOKEN_MAX: Final = 64  # characters of one; the server makes 55
AVOID_DAYS: Final = 120  # days that one is valid
PAIRS_MAX: Final = 10  # kept pairs in a find
PAIR_TOKEN_MAX: Final = 80  # characters of the token of one; the server makes 66
PAIR_DAYS: Final = 120  # days that one is valid
TOKEN_MAX: Final = 1_024  # characters: a resume token holds a key, an identity and a time
PROOF_MAX: Final = 2_048  # characters: a college proof holds a domain of up to 253 and a signature
CHAT_MAX: Final = 64  # characters of a chat's id; the server makes 16
SDP_MAX: Final = 32 * 1024  # bytes of a description; browsers' have 2 to 8 KiB
CANDIDATE_MAX: Final = 2 * 1024  # bytes of a candidate; browsers' have 100 to 400
SNAP_NONCE: Final = 22  # characters: 128 bits in base64
SOLUTION_MAX: Final = 8 * 1024  # characters; Turnstile's are up to 2,048, ALTCHA's about 400

# Pictures requested in a video chat.

SNAP_TILES: Final = 3  # pictures of the partner in one strip: one bad picture of three is outvoted
SNAP_GAP: Final = 250  # milliseconds between two of them
SNAP_TILE: Final = (320, 240)  # pixels of a picture; those of the partner are stacked
SNAP_BYTES: Final = 48 * 1024  # of a strip, or of one picture of the own camera
SNAP_WITHIN: Final = 8  # seconds to send them: a phone's camera starts in three, a slow network takes its time

# Pictures that the two of a chat send each other, once both allow it.

SENT_BYTES: Final = 192 * 1024  # of a picture
SENT_SIDE: Final = 1280  # pixels of its longer side
SENT_LEAST: Final = 16  # pixels of its shorter side
SENT_WITHIN: Final = 30  # seconds to upload it: 200 KB on a slow phone
SENT_MOST: Final = 20  # of a side in a chat
UNSAFE_MOST: Final = 2  # of them that a program found unsafe; then this side can send no more
SENT_VEILS: Final = ("nudity", "unchecked")  # why a picture needs a second press to be seen

# Bounds of queues and memories.

UNSENT_MESSAGES: Final = 200  # for a partner who reads nothing, or is away (rule 8)
UNSENT_BYTES: Final = 64 * 1024  # the same in bytes
REFUSED_KEPT: Final = 200  # ordinals of refused messages in `resumed`
PING_AFTER: Final = 25  # seconds of silence until the server pings (rule 4)
PONG_WITHIN: Final = 20  # seconds to answer
TAKE_SECONDS: Final = 20  # in which a socket with a backlog must accept something (rule 4)
GRACE: Final = 15.0  # seconds in which a dropped connection may come back (rule 4)
CLOSED_GRACE: Final = (
    5.0  # the same for a page that closed: a reload is back in half a second, on a slow network in four
)
KEPT_FOR: Final = 3.0  # seconds in which a user who moved on may come back to the chat
PAST_FOR: Final = 600.0  # seconds in which the last chat can still be saved or reported
REACTIONS_MOST: Final = 400  # of a chat, the newest: two at each line that the ring can hold
SAVES_MOST: Final = 16  # unanswered saves of one session; further ones are refused

# Rates (rule 10): size of a burst, then the number per second.

MESSAGE_BURST: Final = 100
MESSAGE_RATE: Final = 20
SIGNAL_BURST: Final = 100
SIGNAL_RATE: Final = 20
REACT_BURST: Final = 20  # reactions
REACT_RATE: Final = 4
ALLOW_BURST: Final = 6  # `pictures`: yes and no
ALLOW_RATE: Final = 0.2
SENT_BURST: Final = 3  # `picture`
SENT_RATE: Final = 0.1
FRAME_BURST: Final = 250  # frames that need a decision
FRAME_RATE: Final = 50
REFUSAL_BURST: Final = 1_000  # refused frames; beyond, the connection is closed
REFUSAL_RATE: Final = 20
BYTES_BURST: Final = 1024 * 1024  # bytes beyond are read later
BYTES_RATE: Final = 256 * 1024
FIND_BURST: Final = 10  # an impatient person's presses
FIND_RATE: Final = 1
CONNECTIONS: Final = 100  # open, per address
NEWCOMERS: Final = 250  # connections without a complete request, per address: a client may open one per request
CONNECT_BURST: Final = 40  # per address
CONNECT_RATE: Final = 4
