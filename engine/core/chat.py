"""A chat, and a seat in it. Rule: a seat is one session's and says what that session knows of the others.

Sides 0 and 1 talk; side 2 is the spy, who watches. A seat never refers to another session, only to its address.
"""

from engine.conduct.camera_verdicts import Looks
from engine.core.session_address import Address
from ext.net.ring import Ring


class Chat:
    """What all seats of a chat share, and nobody changes; but what was found in it grows, and what is known of its cameras."""

    __slots__ = ("began", "colleges", "found", "id", "looks", "people", "question", "relay", "ring", "video")

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
        self.id = id
        self.ring = ring
        self.began = began
        self.video = video
        self.relay = relay  # the signals are scrubbed
        self.question = question
        self.people = people  # for the record: (side, identity, address) of each; empty where nothing is kept
        self.colleges = colleges  # by side, where one was shown
        # the first line of side 0 or 1 in which a rule found something (`engine.conduct.detection_actions.EFFECTS`)
        self.found: dict[tuple[int, str], int] = {}
        self.looks: Looks | None = (
            None  # at the cameras (`engine.chats.camera_checks`); None: nobody looks, or the chat is over
        )


class Seat:
    """One side of a chat."""

    __slots__ = ("away", "chat", "ended", "inside", "lasting", "others", "over", "persons", "reported", "side", "tips")

    def __init__(
        self,
        chat: Chat,
        side: int,
        others: tuple[tuple[int, Address], ...],
        persons: tuple[int, ...],
        lasting: bool = False,
    ) -> None:
        self.chat = chat
        self.side = side
        self.others = others  # (side, address) of everybody else
        self.persons = persons  # whom this side met; a spy: the person of side 0, then of side 1
        self.lasting = lasting  # the partner is the same person when they come again: they have an identity
        self.away: dict[int, float] | None = None  # the deadline of each other side that is away
        self.inside = b""  # the encoded facts of `matched`, for `resumed`
        self.over: tuple[str, int] | None = None  # why the chat ended and by whom, where the person was not told yet
        self.ended = 0.0  # when it ended, once it is the past
        self.tips = 0  # kinds of `tip` that this side was told, a bit each (`engine.conduct.detection_actions.KINDS`)
        self.reported: str | None = None  # the receipt of the first report, which counts; None: none was made


def name_of_chat(number: int) -> str:
    """The id that a chat is called by, of its number at the tap: below 2**63."""
    return f"{number:x}"


def number_of_chat(chat: str) -> int:
    """The other way. Raises ValueError for what is no chat's id."""
    number = int(chat, 16)
    if not 0 <= number < 1 << 63:
        raise ValueError("no chat's id")
    return number
