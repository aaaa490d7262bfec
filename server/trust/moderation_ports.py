"""What the rest of the server asks of moderation, as a protocol. Rule: nothing is imported here that a server without a store need not have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from engine.views import Act, Report, SeatView
from server.ops.metrics.exposition import Reading
from server.trust.evidence.case_pictures import Adds, Picture
from server.trust.evidence.reported_chat import Reported
from server.trust.sanctions.ban_table import BanTable
from server.trust.sanctions.notice_table import NoticeTable


@dataclass(frozen=True, slots=True)
class Receipt:
    """`state`: received, acted, none (looked at, nothing done) or aged (nobody looked in time); days as Unix seconds."""

    state: str
    at: int
    closed: int | None = None


@dataclass(frozen=True, slots=True)
class Reasons:
    """A ban, a pause or a warning (`measure`) as whom it concerns reads it. Days as Unix seconds; `running`: it is in force.

    `network`: it is the refusal of a network, which whoever uses it may read: without rule, words or cause. `rule`: empty, too, of a neutral
    pause. `until`: of a warning, how long it is kept; at or beyond `moderation_policy.FOR_GOOD` for good. `words`: what the operator added.

    `program`: empty where a person decided; else what a program found that decided it, or `program` where that is not known any more.
    `source`: why a person looked: `reported`, `found` (a program found something, nobody reported) or `person`: it is not known any more.

    `appealed`: open, upheld, reversed, lapsed, or empty where there is no appeal; `answer`: what we said to it.
    """

    measure: str
    rule: str
    words: str
    since: int
    until: int
    network: bool
    running: bool
    appealed: str
    answer: str
    again: int  # from when on another appeal is read; 0: now
    program: str = ""
    source: str = "person"


KINDS: Final = ("log", "chat", "child", "other")  # what a notice of anybody is about


@dataclass(frozen=True, slots=True)
class Written:
    """A notice as anybody wrote it. `kind`: log, chat, child or other; `about`: where or when; `contact`: as they gave it, or empty."""

    kind: str
    about: str
    words: str
    contact: str


@dataclass(frozen=True, slots=True)
class NoticeAnswer:
    """What came of a notice. `state`: open, acted, none, passed, aged (not decided in time); days as Unix seconds; `answer`: what we said."""

    state: str
    at: int
    closed: int | None
    answer: str


class LawNotices(Protocol):
    """`server.trust.publication.public_notices.LawNotices`. Each raises StoreAway."""

    async def write(self, written: Written) -> str | None:
        """Keep a notice; the last part of its receipt's address, None where too many wait."""

    async def read(self, receipt: str) -> NoticeAnswer | None:
        """What came of a notice, by the last part of its receipt's address; None where there is none."""


class Appeals(Protocol):
    """`server.trust.cases.appeal_access.Appeals`. Each raises StoreAway."""

    async def read(self, text: str) -> Reasons | None:
        """The ban of an appeal's address, by its last part; None where there is none."""

    async def write(self, text: str, words: str) -> Reasons | None:
        """Take an appeal, where one may be made now; the ban as it is then."""


class Pictured(Protocol):
    """`server.trust.pictures.picture_requests.Looks`."""

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        """What is there of a side's camera."""

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        """Somebody reported this side: what came of it since `had`, and comes in some seconds more, goes there."""


class Safety(Protocol):
    """`server.trust.moderation.service.Safety`, the one implementation. `unread`: which of `moderation_policy.WAITING` no account with a passkey
    may open."""

    unread: frozenset[str]
    looks: Pictured | None  # None: nobody takes pictures
    promised: Callable[[], bool]  # whether the operator says that somebody reads them
    weighed: Callable[[int, int, int], None]  # told of a report by somebody whose cookie is older than a day
    on_attended: Callable[[], None]  # told where `unread` is another than it was
    decided: Callable[[], None]  # told where a ban or a notice is found to be another than it was

    @property
    def moderated(self) -> bool:
        """Whether each queue of cases has a reader: users are told so only then."""

    def has_reader(self, queue: str) -> bool:
        """Whether somebody may open one of `moderation_policy.WAITING`: a program acts only on what somebody can look at."""

    def take(self, seat: SeatView, what: Report | Act, mode: str) -> None:
        """A report, or what a program found, in the turn in which it came."""

    def file(self, made: Reported) -> None:
        """One that left its chat, maybe in another process of this host."""

    @property
    def bans(self) -> BanTable:
        """The bans in force."""

    @property
    def notices(self) -> NoticeTable:
        """What is to be read."""

    async def receipt(self, text: str) -> Receipt | None:
        """What came of a report, by the last part of its receipt; None where there is none. Raises StoreAway."""

    async def start(self, told: Callable[[], None]) -> None:
        """Begin; `told`: there are new bans or notices, and whoever they name may be here."""

    def look_now(self) -> None:
        """A ban or a notice is another than it was, as another host saw."""

    def pack(self) -> dict[str, Any]:
        """What another process goes on with; it stays here too."""

    def unpack(self, facts: dict[str, Any]) -> None:
        """The other way; what is not known here is passed over. Raises TypeError, ValueError."""

    @property
    def appeals(self) -> Appeals:
        """What banned people read and write."""

    @property
    def law_notices(self) -> LawNotices:
        """What anybody tells us."""

    async def months(self) -> list[dict[str, Any]]:
        """What is published of each closed month, the newest first. Raises StoreAway."""

    async def close(self) -> None:
        """Store what waits, for a bounded time."""

    def reading(self) -> Reading:
        """Numbers for the metrics."""
