"""Define the protocol (`typing.Protocol`) of the moderation service for the rest of the server, and the values that it returns.

**Invariant:** this module imports nothing that only a server with a database needs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from engine.views import Act, Report, SeatView
from server.ops.metrics.metric_type import Reading
from server.trust.evidence.reported_chat import Reported
from server.trust.evidence.reported_picture import Adds, Picture
from server.trust.sanctions.ban_table import BanTable
from server.trust.sanctions.notice_table import NoticeTable


@dataclass(frozen=True, slots=True)
class Receipt:
    """Outcome of a report as its reporter reads it. Days are Unix seconds.

    `state`: received, acted, none (read, nothing done) or aged (not read in time).
    """

    state: str
    at: int
    closed: int | None = None


@dataclass(frozen=True, slots=True)
class Reasons:
    """A ban, a pause or a warning (`measure`) as shown to the user whom it concerns. Days are Unix seconds; `running`: it is in force.

    `network`: a refusal of the network, which any user of that network may read: it has no rule, words or cause. `rule` is empty for a neutral
    pause too. `until`: for a warning, how long it is kept; at or beyond `moderation_policy.FOR_GOOD` means for good.
    `words`: the moderator's addition.

    `program`: the detection that decided; `program` if that is not known any more; empty if a person decided.
    `source`: why a person looked: `reported`, `found` (a detection, without a report) or `person` (not known any more).

    `appealed`: open, upheld, reversed, lapsed, or empty without an appeal; `answer`: the answer to the appeal.
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
    again: int  # Unix seconds from which another appeal is accepted; 0: now
    program: str = ""
    source: str = "person"


CHILD_KINDS: Final = ("danger", "child")  # a child who was harmed or is in danger; a child who uses this server
KINDS: Final = ("log", "chat", *CHILD_KINDS, "other")  # subjects of a public notice


@dataclass(frozen=True, slots=True)
class NoticeForm:
    """A public notice as its writer sent it. `kind`: one of KINDS; `about`: the place or the time; `contact`: as given, or empty."""

    kind: str
    about: str
    words: str
    contact: str


@dataclass(frozen=True, slots=True)
class NoticeAnswer:
    """Outcome of a public notice. Days are Unix seconds; `answer`: the text for its writer.

    `state`: open, acted, none, passed (to an authority) or aged (not decided in time); `kind`: one of KINDS.
    """

    state: str
    at: int
    closed: int | None
    answer: str
    kind: str


class PublicNotices(Protocol):
    """Port of `server.trust.reports.illegal_content_notices.PublicNotices`. Each method raises StoreAway."""

    async def write(self, written: NoticeForm) -> str | None:
        """Store a public notice. Return the last part of its receipt's address, or None if too many notices wait."""

    async def read(self, receipt: str) -> NoticeAnswer | None:
        """Return the outcome of a public notice by the last part of its receipt's address, or None if there is no such notice."""


class Appeals(Protocol):
    """Port of `server.trust.cases.user_appeals.Appeals`. Each method raises StoreAway."""

    async def read(self, text: str) -> Reasons | None:
        """Return the ban of an appeal's address by its last part, or None if there is no such ban."""

    async def write(self, text: str, words: str) -> Reasons | None:
        """Store an appeal if one may be made now. Return the ban as it is afterwards."""


class PicturesOfChats(Protocol):
    """Port of `server.trust.pictures.requested_pictures.PictureRequests`."""

    def shown(self, chat: str, side: int) -> tuple[Picture, ...]:
        """Return the pictures of a side's camera that are held now."""

    def follow(self, chat: str, side: int, had: Sequence[Picture], adds: Adds) -> None:
        """Pass later pictures of a reported side to `adds`: those since `had`, and those of the next seconds."""


def ignore(*_: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class SafetyPorts:
    """The collaborators of moderation, as functions."""

    # whether the operator states that moderators read reports
    is_promised: Callable[[], bool] = bool
    # holder of camera pictures; None: pictures are off
    find_pictures: Callable[[], PicturesOfChats | None] = lambda: None
    # called for a report whose reporter has a cookie older than a day: identity (0: none) and session of the subject, reporter's identity
    on_weighed: Callable[[int, int, int], None] = ignore
    # called when `unread` has changed
    on_attended: Callable[[], None] = ignore
    # called if this process is the first to see a changed ban or notice, so that other hosts read at once
    on_decision: Callable[[], None] = ignore
    # called with the identity at each refusal of a user whom a person's decision keeps out as a minor
    on_minor: Callable[[int], None] = ignore
    # called with the case of each ban that is lifted before its end, or reversed after it
    on_lifted: Callable[[bytes], None] = ignore


class Safety(Protocol):
    """Port of `server.trust.moderation.service.Safety`, the one implementation.

    `unread`: queues of `moderation_policy.WAITING` that no account with a passkey may open.
    """

    unread: frozenset[str]

    @property
    def moderated(self) -> bool:
        """Whether each queue of cases has a reader. Only then the pages state that reports are read."""

    def has_reader(self, queue: str) -> bool:
        """Whether a moderator may open this queue of `moderation_policy.WAITING`. A program acts only if a person can review it."""

    def take(self, seat: SeatView, what: Report | Act, mode: str) -> None:
        """Accept a report or a detection in the turn in which it came."""

    def file(self, made: Reported) -> None:
        """Accept a report that left its chat, possibly in another process of this host."""

    @property
    def bans(self) -> BanTable:
        """The bans in force."""

    @property
    def notices(self) -> NoticeTable:
        """The unread notices."""

    async def receipt(self, text: str) -> Receipt | None:
        """Return the outcome of a report by the last part of its receipt's address, or None if there is no such report. Raises StoreAway."""

    async def start(self, told: Callable[[], None]) -> None:
        """Start the tasks. `told` is called after new bans or notices: connected sessions may be affected."""

    def look_now(self) -> None:
        """Read bans and notices at once: another host saw a change."""

    def unwell(self) -> list[str]:
        """Return that bans were not read since the start (`readyz`)."""

    def pack(self) -> dict[str, Any]:
        """Return the state that another process continues with. This process keeps it too."""

    def unpack(self, facts: dict[str, Any]) -> None:
        """Restore the state of `pack`; unknown keys are skipped. Raises TypeError, ValueError."""

    @property
    def appeals(self) -> Appeals:
        """Access to reasons and appeals for banned users."""

    @property
    def law_notices(self) -> PublicNotices:
        """Access to public notices for their writers."""

    async def months(self) -> list[dict[str, Any]]:
        """Return the published figures of each closed month, newest first. Raises StoreAway."""

    async def ledger_mark(self) -> dict[str, Any] | None:
        """Return the hash of the month's mark in the disclosure ledger, and its Unix time: `hash`, `at`. Raises StoreAway."""

    async def close(self) -> None:
        """Store the waiting reports, within a bounded time."""

    def reading(self) -> Reading:
        """Return the values of the metrics."""
