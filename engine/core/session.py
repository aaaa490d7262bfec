# cython: allow_none_for_extension_args=False
"""Define a session: the state of one user, which survives the loss of a connection.

**Invariant:** plain data; only `Session.move` changes the session's state; a waiting session takes less than a kilobyte of memory.
"""

# `id` is constant: bus address, client of the lobby, key of `Engine.sessions`. `key` is inside the current resume token; the first key is the id.
# After a resume the used key stays valid beside the new one until the client confirms.
#
# The first line lets calls from Python refuse None for an object, which compiled code would read as one.

from typing import Final

from engine.core.chat import Seat
from engine.core.states import IDLE, Transitions
from engine.matching.search_criteria import Terms
from ext.match.interner import Ids
from ext.net.rate_limit_carry_over import LimitsOwner

NO_IDS: Final = Ids()


class Query:
    """Search of a waiting user."""

    __slots__ = ("avoid", "calls", "halves", "ids", "networks", "question", "terms", "typed")

    def __init__(self, terms: Terms, question: str | None, avoid: tuple[int, ...] = ()) -> None:
        self.fill(terms, question, avoid)

    def fill(self, terms: Terms, question: str | None, avoid: tuple[int, ...]) -> None:
        """Set all fields. For a new object, without the cost of its constructor."""
        self.terms = terms
        self.question = question
        self.avoid = avoid  # persons whom the user blocked, oldest first
        self.halves: tuple[
            int, ...
        ] = ()  # own halves of kept pairs (`engine.matching.kept_pairs`); 0: of an invalid token
        self.calls = 0  # the half whose other one is called; 0: none
        self.ids: Ids = NO_IDS
        self.networks: tuple[str, ...] = ()  # networks that the ids are counted for (`engine.core.interest_quota`)
        self.typed: str | None = (
            None  # the interests as typed, one per line, in the order of `ids`; None: equal to the normalised words
        )


class ChallengeState:
    """State of the challenge that a session must pass before its next search."""

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
        self.kind = ""  # kind as in the `challenge` frame, or "wait"; empty: not known yet
        self.asked = False  # the server makes it, or made it
        self.frame = b""  # the frame that was sent; empty: not made yet
        self.checked = False  # a solution is being checked elsewhere
        self.began = 0.0  # when it was sent
        self.until = 0.0  # until when it can be solved
        self.waits = 0.0  # end of the wait of a client that can solve no challenge; 0.0: it can
        self.wrong = 0  # wrong solutions in a row
        self.first_wrong = -1e9  # when the first of them came
        self.barred = 0.0  # until when no solution is accepted

    def raise_to(self, level: int) -> None:
        """Require another challenge, of this level."""
        self.level = level
        self.frame, self.asked, self.checked, self.waits = b"", False, False, 0.0


class Session(LimitsOwner):
    """State of one user."""

    __slots__ = (
        "address",
        "alias",
        "conn",
        "deadline",
        "fresh",
        "id",
        "identity",
        "key",
        "moved_on",
        "networks",
        "past",
        "person",
        "pictures",
        "port",
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

    def __init__(self, key: int, conn: int, identity: int, address: str, state: int = IDLE, alias: int = 0) -> None:
        self.id = key
        self.key = key  # in the current token
        self.used = -1  # the key that a resume used, until it is confirmed; -1: none
        self.conn = conn  # 0: away
        self.identity = identity  # keyed hash of the cookie; 0: none
        self.address = address  # of the connection; used as a key for limits only
        self.port = 0  # its source port; 0: unknown
        self.networks: tuple[str, ...] = ()  # networks of the address, once computed
        self.alias = alias  # the person if there is no identity, as another protocol names them; never stored
        self.person = identity or alias or key  # key of the user for "not the same two again"
        self.state = state  # read only; written by `move`
        self.told = ""  # id of the last notice that was sent
        self.fresh = True  # no frame came yet, so `resume` is allowed
        self.serial = 0  # serial number of the latest search
        self.deadline = 0.0  # when the session ends, if it is away
        self.query: Query | None = None
        self.seat: Seat | None = None
        self.past: Seat | None = None  # seat in the last chat, for save and report
        # unanswered saves: (chat, answer). The answer is empty until it is known; it is kept here while the user is away
        self.saves: tuple[tuple[str, bytes], ...] = ()
        self.trial: ChallengeState | None = None  # challenge before the next search
        self.moved_on = 0  # id of the own session of a user who moved on and may come back; the end of the chat is theirs. 0: not so
        self.snaps = False  # the client answers `snap`, as of its last search
        self.pictures = False  # the client shows pictures of its partner, as of its last search
        self.way = 0  # bits of the connection's kind (PLAIN … in `engine.wire.protocol`), which decide the challenges it can solve

    def move(self, event: Transitions) -> None:
        """Change the state by `event`. Raises IllegalMove, and stays, if the table has no such move."""
        self.state = event.after(self.state)

    @property
    def endpoint(self) -> str:
        """Address and source port as they are kept of a chat (`server.data.connection_source`)."""
        return f"{self.address} {self.port}" if self.port else self.address
