"""Define read-only views of sessions, seats and chats for the server.

**Invariant:** the server reads the engine's data only through these protocols, which have no settable attribute, and holds a `Session` only to pass
the object back to the engine.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.conduct.age_answers import AGE_STATES as AGE_STATES
from engine.conduct.daily_detections import CHAT_BITS as CHAT_BITS
from engine.conduct.detection_consequences import Act as Act
from engine.core.bus_messages import Ended as Ended
from engine.core.chat import Address, SentPicture
from engine.core.engine_histograms import CHAT_BOUNDS as CHAT_BOUNDS
from engine.core.engine_histograms import COMMON_BOUNDS as COMMON_BOUNDS
from engine.core.engine_histograms import MODES as MODES
from engine.core.engine_histograms import SOLVE_BOUNDS as SOLVE_BOUNDS
from engine.core.engine_histograms import WAIT_BOUNDS as WAIT_BOUNDS
from engine.core.states import CHATTING as CHATTING
from engine.core.states import STATES as STATES
from engine.core.states import WAITING as WAITING
from engine.migrate.record_fields import bare as bare
from engine.migrate.record_fields import write_last as write_last
from engine.wire.client_requests import Report as Report
from engine.wire.client_requests import Save as Save
from engine.wire.server_frames import banned as banned
from engine.wire.server_frames import error as error
from engine.wire.server_frames import hello as hello
from engine.wire.server_frames import left as left
from engine.wire.server_frames import notice as notice
from ext.net.chat_ring import Ring


class AlbumView(Protocol):
    """Pictures of a chat."""

    @property
    def sent(self) -> Sequence[SentPicture]:
        """Pictures that the two sent each other, oldest first."""

    @property
    def keys(self) -> Sequence[int]:
        """Number of the keys for pictures that each side was given."""


class AttachedView(Protocol):
    """Reactions and pictures of a chat."""

    @property
    def faces(self) -> Mapping[tuple[int, int], str]:
        """(line, side) to the reaction of this side there."""

    @property
    def album(self) -> AlbumView | None:
        """Pictures that the two send each other; None: they can send none."""


class ChatView(Protocol):
    """A chat (`engine.core.chat.Chat`)."""

    @property
    def id(self) -> str: ...
    @property
    def ring(self) -> Ring: ...
    @property
    def began(self) -> float:
        """Monotonic seconds."""

    @property
    def video(self) -> bool: ...
    @property
    def relay(self) -> bool:
        """Whether a side hides their address."""

    @property
    def question(self) -> str | None: ...
    @property
    def people(self) -> tuple[tuple[int, int, str], ...]:
        """(side, identity, address) of each; empty if no store is configured."""

    @property
    def language(self) -> str:
        """A subtag, `*`, or empty before its sides were told."""

    @property
    def colleges(self) -> tuple[str | None, ...]:
        """College by side, if it was shown."""

    @property
    def attached(self) -> AttachedView:
        """Reactions and pictures."""

    @property
    def found(self) -> Mapping[tuple[int, str], int]:
        """(side, rule) to the number of the first line in which the rule matched."""


class SeatView(Protocol):
    """One side of a chat (`engine.core.chat.Seat`)."""

    @property
    def chat(self) -> ChatView: ...
    @property
    def side(self) -> int: ...
    @property
    def others(self) -> tuple[tuple[int, Address], ...]:
        """(side, address) of the other sessions."""

    @property
    def inside(self) -> bytes:
        """Facts of `matched` as JSON members, without braces; empty before it was sent."""

    @property
    def ended(self) -> float:
        """Monotonic seconds when the chat ended; 0.0 before."""

    @property
    def reported(self) -> str | None:
        """Receipt of this side's report; empty if it has none to read, None without a report."""


class SessionView(Protocol):
    """A session (`engine.core.session.Session`)."""

    @property
    def id(self) -> int: ...
    @property
    def conn(self) -> int:
        """Its live connection; 0 while away."""

    @property
    def state(self) -> int:
        """An index of STATES."""

    @property
    def seat(self) -> SeatView | None: ...
    @property
    def past(self) -> SeatView | None:
        """Seat in the last chat, for save and report."""


class HistogramView(Protocol):
    """A histogram (`engine.core.engine_histograms.Histogram`): counts by bucket, the last above all bounds."""

    @property
    def counts(self) -> Sequence[int]: ...
    @property
    def total(self) -> float: ...
