"""A session: one person's, apart from connections.

Rule: plain state, no behaviour; a waiting one costs under a kilobyte.

`id` is the session's number for life: in addresses on the bus, in the lobby, in `Engine.sessions`. `key` is what its
present token holds; the first key is the id. After a resume the used key stays good beside the new one until the
client confirmed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from engine.chat import Seat
from engine.states import IDLE


class Terms(NamedTuple):
    """What a search asks for beside its words and its college: few combinations, so those who ask alike share one."""

    language: str  # primary subtag, or "*"
    role: str
    video: bool
    strict: bool
    relay: bool
    share: bool  # a question may be asked again
    same: bool  # college: the same one only


class Search:
    """What a waiting person asked for."""

    __slots__ = ("college", "ids", "question", "serial", "terms", "typed")

    def __init__(self, serial: int, terms: Terms, college: str | None, question: str | None) -> None:
        self.serial = serial  # which of the session's searches this is
        self.terms = terms
        self.college = college  # the proven domain
        self.question = question
        self.ids: Sequence[int] = ()
        self.typed: str | None = None  # the interests as typed, one a line, in the order of `ids`; None: as normalised


class Session:
    """The state of one person."""

    __slots__ = (
        "address",
        "alias",
        "conn",
        "deadline",
        "finds",
        "fresh",
        "held",
        "id",
        "identity",
        "key",
        "past",
        "search",
        "seat",
        "serial",
        "state",
        "used",
    )

    def __init__(self, key: int, conn: int, identity: int, address: str) -> None:
        self.id = key
        self.key = key  # of the present token
        self.used = -1  # the key that a resume used, until it is confirmed; -1: none
        self.conn = conn  # 0: away
        self.identity = identity  # keyed hash of the cookie, 0: none
        self.address = address  # of the connection; never a key for anything
        self.alias = 0  # the person where there is no identity: another face's name for one, kept nowhere
        self.state = IDLE
        self.fresh = True  # no frame came yet: `resume` may
        self.held = False  # a challenge is open: no `find` before it is solved
        self.serial = 0  # of the latest search
        self.finds = 0.0  # rate of finds: the time up to which they are paid for
        self.deadline = 0.0  # when an away session ends
        self.search: Search | None = None
        self.seat: Seat | None = None
        self.past: Seat | None = None  # the last chat, for save and report

    @property
    def person(self) -> int:
        """Who this is for "not the same two again": the identity, the alias, else the session."""
        return self.identity or self.alias or self.id
