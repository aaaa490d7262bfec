"""Define a chat, and a seat: the view that one session has of its chat.

Sides 0 and 1 talk; side 2, the spy, only watches.
**Invariant:** a seat names the other participants by their bus address (the session's id), and holds no reference to their sessions.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engine.conduct.camera_verdicts import CameraState
from ext.net.chat_ring import Ring

# Bits of `Seat.tips`, part of the session record: this side wants to meet the other again; the other wants it; both.
AGAIN_HERE: Final = 1 << 14
AGAIN_THERE: Final = 1 << 15
AGAIN_BOTH: Final = AGAIN_HERE | AGAIN_THERE
BOTH_ALLOW: Final = 0b11  # bits of `Album.allowed`: each side that allows pictures
Address = int  # of a session on the bus: its id. The sessions of a chat are in one process (`engine.migrate.session_migration`)


class SentPicture(NamedTuple):
    """A picture that a side sent, after line `seq`. `at`: Unix seconds; `key`: its key over HTTP; `veil`: one of SENT_VEILS, or empty."""

    side: int
    seq: int
    at: int
    key: str
    veil: str


@dataclass
class Album:
    """Pictures of a chat. `allowed`: bits, as above; `sent`: oldest first; `keys`: number of the keys that each side was given."""

    allowed: int = 0
    sent: list[SentPicture] = field(default_factory=list)
    keys: list[int] = field(default_factory=lambda: [0, 0])


class Attached:
    """Reactions and pictures, which the two attach to their lines."""

    __slots__ = ("album", "faces")

    def __init__(self) -> None:
        self.faces: dict[tuple[int, int], str] = {}  # (line, side) to face, oldest first (`engine.chats.reactions`)
        self.album: Album | None = None  # pictures (`engine.chats.sent_pictures`); None: they can send none


class Chat:
    """State that all seats of a chat share.

    It does not change, except the language when it begins, the detections, the reactions, the pictures and the camera checks.
    """

    __slots__ = (
        "acted",
        "attached",
        "began",
        "colleges",
        "found",
        "id",
        "language",
        "lifted",
        "looks",
        "people",
        "question",
        "relay",
        "ring",
        "video",
    )

    def __init__(
        self,
        id: str,
        ring: Ring,
        began: float,
        video: bool,
        relay: bool,
        question: str | None,
        people: tuple[tuple[int, int, str], ...] = (),
        colleges: tuple[str | None, ...] = (),
    ) -> None:
        self.fill(id, ring, began, video, relay, question, people, colleges)

    def fill(
        self,
        id: str,
        ring: Ring,
        began: float,
        video: bool,
        relay: bool,
        question: str | None,
        people: tuple[tuple[int, int, str], ...],
        colleges: tuple[str | None, ...],
    ) -> None:
        """Set all fields. For a new object, without the cost of its constructor."""
        self.id = id
        self.ring = ring
        self.began = began
        self.video = video
        self.relay = relay  # signals are scrubbed of addresses
        self.question = question
        self.people = (
            people  # for the chat record: (side, identity, address) of each person; empty if no store is configured
        )
        self.colleges = colleges  # by side, where a college was shown
        self.language = ""  # as `matched` told the side that began first: a subtag, `*`, or empty before
        # (side, rule) to the number of the first line in which the rule matched (`engine.conduct.detection_classes.RULES`)
        self.found: dict[tuple[int, str], int] = {}
        self.acted = 0  # bits of the sides whose requests to a child were acted on (`engine.chats.grooming`)
        self.attached = Attached()
        self.lifted = 0  # bits of the sides that lifted their curtain (`engine.chats.camera_checks`)
        self.looks: CameraState | None = (
            None  # camera checks (`engine.chats.camera_checks`); None: cameras are not checked, or the chat is over
        )


class Seat:
    """One side of a chat, as held by the session that sits there."""

    __slots__ = (
        "away",
        "chat",
        "ended",
        "held",
        "inside",
        "lasting",
        "others",
        "over",
        "paused",
        "persons",
        "reacted",
        "reported",
        "side",
        "tips",
    )

    def __init__(
        self,
        chat: Chat,
        side: int,
        others: tuple[tuple[int, Address], ...],
        persons: tuple[int, ...],
        lasting: bool = False,
    ) -> None:
        self.fill(chat, side, others, persons, lasting)

    def fill(
        self,
        chat: Chat,
        side: int,
        others: tuple[tuple[int, Address], ...],
        persons: tuple[int, ...],
        lasting: bool,
    ) -> None:
        """Set all fields. For a new object, without the cost of its constructor."""
        self.chat = chat
        self.side = side
        self.others = others  # (side, address) of every other session in the chat
        self.persons = persons  # persons whom this side met; for a spy the person of side 0, then of side 1
        self.lasting = lasting  # the partner has an identity, so they are recognised when they come again
        self.away: dict[int, float] | None = None  # deadline by side, of the other sides that are away
        # deadline by side, of the sides that must answer the age question before the chat continues (`engine.chats.age_question_pause`)
        self.held: dict[int, float] | None = None
        # end by side, of the sides whose first lines wait for the partner's (`engine.chats.opener_pause`)
        self.paused: dict[int, float] | None = None
        self.inside = b""  # the encoded facts of `matched`, sent again in `resumed`
        self.over: tuple[str, int] | None = None  # why the chat ended and by whom, until the user has been notified
        self.ended = 0.0  # when the chat ended; 0.0 while it runs
        # bits of the kinds of `tip` that this side received (`engine.conduct.detection_consequences.KINDS`), and AGAIN_HERE, AGAIN_THERE
        self.tips = 0
        self.reacted = 0.0  # until when this side has paid for its reactions, and wishes to meet again
        self.reported: str | None = None  # receipt of the first report, the one that counts; None: not reported

    @property
    def is_linked(self) -> bool:
        """Whether the connection of the session at this seat is linked to the ring of the chat; a watcher's always is."""
        return not (self.held or self.paused) or self.side > 1


def name_of_chat(number: int) -> str:
    """Return the id of a chat, from its number at the tap (below 2**63)."""
    return f"{number:x}"


def number_of_chat(chat: str) -> int:
    """Return the number of a chat, from its id. Raises ValueError if `chat` is no chat id."""
    number = int(chat, 16)
    if not 0 <= number < 1 << 63:
        raise ValueError("no chat's id")
    return number
