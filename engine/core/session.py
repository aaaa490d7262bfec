"""A session: one person's, apart from connections.

Rule: plain state; where it stands is written by `Session.move` alone, and a waiting one costs under a kilobyte.

`id` is the session's for life: in addresses on the bus, in the lobby, in `Engine.sessions`. `key` is what its
present token holds; the first key is the id. After a resume the used key is good beside the new one until the
client confirmed.
"""

from typing import Final

from engine.core.chat import Seat
from engine.core.states import IDLE, Moves
from engine.matching.search_terms import Terms
from ext.match.interner import Ids
from ext.net.carry_over import Carried

NO_IDS: Final = Ids()


class Query:
    """What a waiting person asked for."""

    __slots__ = ("avoid", "ids", "networks", "question", "terms", "typed")

    def __init__(self, terms: Terms, question: str | None, avoid: tuple[int, ...] = ()) -> None:
        self.terms = terms
        self.question = question
        self.avoid = avoid  # persons whom they blocked, the last one last
        self.ids: Ids = NO_IDS
        self.networks: tuple[str, ...] = ()  # whose the ids are (`engine.core.interest_limits`)
        self.typed: str | None = None  # the interests as typed, one a line, in the order of `ids`; None: as normalised


class Trial:
    """A challenge that comes before the next search: which, and how it stands."""

    __slots__ = (
        "asked",
        "barred",
        "began",
        "checked",
        "first_wrong",
        "frame",
        "kind",
        "level",
        "until",
        "waits",
        "wrong",
    )

    def __init__(self, level: int) -> None:
        self.level = level  # 1 to 3
        self.kind = ""  # as `challenge` says it, or "wait"; empty: not known yet
        self.asked = False  # the server makes it, or made it
        self.frame = b""  # what was sent of it; empty: not made yet
        self.checked = False  # a solution is being checked elsewhere
        self.began = 0.0  # when it was sent
        self.until = 0.0  # until when it can be solved
        self.waits = 0.0  # until when somebody waits who cannot solve any; 0.0: they can
        self.wrong = 0  # wrong solutions in a row
        self.first_wrong = -1e9  # when the first of them came
        self.barred = 0.0  # until when none is taken

    def raise_to(self, level: int) -> None:
        """Another one, of that level, has to be made."""
        self.level = level
        self.frame, self.asked, self.checked, self.waits = b"", False, False, 0.0


class Session(Carried):
    """The state of one person."""

    __slots__ = (
        "address",
        "alias",
        "conn",
        "deadline",
        "fresh",
        "id",
        "identity",
        "key",
        "networks",
        "past",
        "query",
        "saves",
        "seat",
        "serial",
        "snaps",
        "state",
        "told",
        "trial",
        "used",
        "way",
    )

    def __init__(self, key: int, conn: int, identity: int, address: str, state: int = IDLE) -> None:
        self.id = key
        self.key = key  # of the present token
        self.used = -1  # the key that a resume used, until it is confirmed; -1: none
        self.conn = conn  # 0: away
        self.identity = identity  # keyed hash of the cookie, 0: none
        self.address = address  # of the connection; a key for nothing but limits
        self.networks: tuple[str, ...] = ()  # those of the address, once they were asked for
        self.alias = 0  # the person where there is no identity: another face's name for one, never stored
        self.state = state  # to be read; `move` writes it
        self.told = ""  # the id of the last notice that was sent
        self.fresh = True  # no frame came yet: `resume` may
        self.serial = 0  # of the latest search: the present one, where there is one
        self.deadline = 0.0  # when an away session ends
        self.query: Query | None = None
        self.seat: Seat | None = None
        self.past: Seat | None = None  # the last chat, for save and report
        # saves without an answer: of which chat, and what became of it, where that could not be told yet (they are away); empty: nothing did
        self.saves: tuple[tuple[str, bytes], ...] = ()
        self.trial: Trial | None = None  # the challenge that comes before the next search
        self.snaps = False  # their client answers `snap`, as of their last search
        self.way = 0  # how they came (`engine.wire.protocol`, PLAIN and so on): which challenges they can solve

    def move(self, event: Moves) -> None:
        """Go where the table says that `event` leads; raises IllegalMove, and stays, where it does not say so."""
        after = event.to[self.state]
        self.state = event[self.state] if after < 0 else after  # that raises

    @property
    def person(self) -> int:
        """Who this is for "not the same two again": the identity, the alias, else the session."""
        return self.identity or self.alias or self.id
