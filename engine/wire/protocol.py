"""The protocol as data: every number, level, kind, code and sentence of docs/protocol.md, once.

Rule: data only, and nothing of ours is imported. The compiled parts and the page get copies of it, made by
`python -m engine.wire.protocol_copies`; a test compares them byte for byte.
"""

from dataclasses import dataclass
from typing import Final

# Faults: the whole error contract on one screen.


@dataclass(frozen=True)
class Fault:
    """What a code says; `close` is the close code (0: all goes on), `back` whether the client may reconnect."""

    message: str
    close: int = 0
    back: bool = True


FAULTS: Final[dict[str, Fault]] = {
    # the frame was not taken, and all goes on
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
    # the connection is closed behind the error; codes below 4000 are RFC 6455's
    "protocol": Fault("This is not a WebSocket frame that the protocol allows.", 1002, back=False),
    "binary": Fault("Only text frames are spoken here.", 1003, back=False),
    "encoding": Fault("A text frame is not UTF-8.", 1007, back=False),
    "too_big": Fault("A frame or message is larger than 64 KiB.", 1009, back=False),
    "internal": Fault("The server failed.", 1011),
    "restart": Fault("The server restarts; come back in a moment.", 1012),
    "busy": Fault("The server is full; come back in a moment.", 1013),
    "banned": Fault("You are banned.", 4003, back=False),
    "flood": Fault("Too much, too fast. Come back later.", 4008),
    "replaced": Fault("Another connection goes on with this session.", 4009, back=False),
}

CLOSE_LEFT: Final = 1000  # from a client: it left. No other code says so
CLOSE_AWAY: Final = 1001  # from a client: the page goes away, and may come back
CLOSE_NONE: Final = 1006  # never on the wire: the connection ended without a close frame

COME_BACK: Final = frozenset(
    {CLOSE_AWAY, CLOSE_NONE} | {fault.close for fault in FAULTS.values() if fault.close and fault.back}
)  # after these close codes a client may reconnect, after no others

TOO_FAST_RETRY_AFTER: Final = 1  # seconds, of a message or frame: a second brings 20 messages, 50 frames
FLOOD_RETRY_AFTER: Final = 10  # seconds that a flooding client is to stay away: hurts a script, not a stuck key
# Seconds after which a newcomer whom a full or a late server turns away is to come again: drawn, so that not all come at once.
FULL_AFTER_LEAST: Final = 5
FULL_AFTER_MOST: Final = 30

# What a connection tells the engine: kinds of events, and how a connection was lost (rule 4).

OPENED: Final = 0  # it was accepted
FRAME: Final = 1  # a text frame that needs a decision
LOST: Final = 2  # it is gone or going, in one of the ways below
CONFIRMED: Final = 3  # the first text frame after `resumed` came
HTTP: Final = 4  # it speaks HTTP, and was handed over
FRAMES: Final = 5  # what a virtual connection was sent
UNTUNNELLED: Final = 6  # its tunnel to another host is over, in one of the ways below
RECORD: Final = 7  # what the other end of its tunnel says to this host, not to the client

LEFT: Final = 0  # closed by the client with 1000 or without a code: it left
DROPPED: Final = 1  # any other end that the client or the network made: it may come back
BROKEN: Final = 2  # closed by us, for what it sent
FLOODED: Final = 3  # closed by us, for how much it sent: it may come back, later
CLOSED: Final = 4  # closed by the client with 1001: its page is gone, or is loaded again

TUNNEL_ENDED: Final = 0  # the other host closed it, at a whole frame: the client is to be taken out
TUNNEL_BROKE: Final = 1  # the other host is gone, or sent what it must not: the same
TUNNEL_CLOSED: Final = 2  # the other host closed the client's connection, which ends by itself
TUNNEL_LEFT: Final = 3  # the client is gone

# How a connection came, by bits: which challenges its client can solve.

PLAIN: Final = 1  # a page that a browser had by plain http from elsewhere than loopback: it has no cryptography
PRIVATE: Final = 2  # it asks not to be tracked (Sec-GPC): no other company sees it
PROGRAM: Final = 4  # one of another wire, which knows no challenges of ours

CHALLENGE_WAITS: Final = (0.0, 3.0, 8.0, 20.0)  # seconds, by level, of a client that can solve none

# Levels (rule 6): how picky a waiting person is.

GOOD: Final = 0  # the overlap is good, see GOOD_PART
ANY: Final = 1  # any overlap
ANYONE: Final = 2  # no overlap is needed
LIFTED: Final = 3  # stands at `anyone` so long that a recent partner is better than nobody (rule 7)
ACCEPTS: Final = ("good", "any", "anyone", "anyone")  # by level, as `waiting` says it

GOOD_PART: Final = 2  # an overlap is good where its weight is at least 1/GOOD_PART of what either of the two asked for
QUIET_BELOW: Final = 60  # arrivals in the last minute; in a pool with fewer any overlap is good
ANY_AFTER: Final = 3.0  # seconds at `good`, at most
ANYONE_AFTER: Final = 10.0  # seconds until `anyone`, at most
LIFT_AFTER: Final = 20.0  # seconds at `anyone` until it is lifted

# Words of fields.

STRANGER: Final = "stranger"  # a role, and who leaves
SPY: Final = "spy"
DISCUSS: Final = "discuss"
ROLES: Final = (STRANGER, SPY, DISCUSS)
MINOR: Final = "minor"  # a reason: somebody seems to be under 18; and their own answer to the challenge `age`
ADULT: Final = "adult"  # the other answer
REASONS: Final = (MINOR, "nudity", "threat", "hate", "spam", "danger", "other")  # of a report, as a page lists them
DESCRIPTIONS: Final = ("offer", "answer", "pranswer", "rollback")  # RTCSdpType
MODERATION: Final = "moderation"  # who ends a chat where the server did
AGE: Final = "age"  # the challenge of somebody who wrote that they are under 18
LEFT_BY: Final = (STRANGER, MODERATION, "lost")
NO_SNAP: Final = ("camera", "hidden", "early")  # why pictures that were asked for cannot be given
VEILS: Final = ("nudity", "unchecked")  # why the stranger is blurred, or the call is hung up
ANY_LANGUAGE: Final = "*"
DEFAULT_LANGUAGE: Final = "en"
SIDES: Final = 3  # of a chat: the two who talk, and one who watches
WATCHER: Final = 2  # the side of who watches

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
NOTICE_ID_MAX: Final = 64  # characters of a notice's id; ours have 22
AVOID_MAX: Final = 16  # tokens of persons that a find does not want to meet: as many as a ticket holds
AVOID_TOKEN_MAX: Final = 64  # characters of one; ours have 55
AVOID_DAYS: Final = 120  # that one is good for
TOKEN_MAX: Final = 1_024  # characters: a resume token holds a key, an identity and a time
PROOF_MAX: Final = 2_048  # characters: a college proof holds a domain of up to 253 and a signature
CHAT_MAX: Final = 64  # characters of a chat's id; ours have 16
SDP_MAX: Final = 32 * 1024  # bytes of a description; browsers' have 2 to 8 KiB
CANDIDATE_MAX: Final = 2 * 1024  # bytes of a candidate; browsers' have 100 to 400
SNAP_NONCE: Final = 22  # characters: 128 bits in base64
SOLUTION_MAX: Final = 8 * 1024  # characters; Turnstile's are up to 2,048, ALTCHA's about 400

# Pictures that are asked for in a video chat.

SNAP_TILES: Final = (
    3  # of the stranger, below each other in one strip: one that is bad by chance is not the middle one of three
)
SNAP_GAP: Final = 250  # milliseconds between two of them
SNAP_WITHIN: Final = (
    8  # seconds in which they are to come: a phone's camera starts in three, a slow network takes its time
)

# Bounds of what waits, and of what is remembered.

UNSENT_MESSAGES: Final = 200  # for a partner who takes nothing, or is away (rule 8)
UNSENT_BYTES: Final = 64 * 1024  # the same in bytes
REFUSED_KEPT: Final = 200  # ordinals of refused messages that `resumed` tells
TAKE_SECONDS: Final = 20  # in which a socket that waits must take something (rule 4)
GRACE: Final = 15.0  # seconds in which a dropped connection may come back (rule 4)
CLOSED_GRACE: Final = (
    5.0  # the same for a page that closed: a reload is back in half a second, on a slow network in four
)
PAST_FOR: Final = 600.0  # seconds in which the last chat can still be saved or reported
SAVES_MOST: Final = 16  # saves of one session that are not answered yet; further ones are refused

# Rates (rule 10): what a burst holds, then so many a second.

MESSAGE_BURST: Final = 100
MESSAGE_RATE: Final = 20
SIGNAL_BURST: Final = 100
SIGNAL_RATE: Final = 20
FIND_BURST: Final = 10  # an impatient person's presses
FIND_RATE: Final = 1
CONNECTIONS: Final = 100  # open, an address
CONNECT_BURST: Final = 40  # an address
CONNECT_RATE: Final = 4
