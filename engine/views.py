"""What the server may see of the engine, beside its door (`engine.engine`) and its ports. Rule: to be read, never changed.

A session, a seat or a chat is the engine's. The server reads them by these protocols, which have no attribute to set; a
`Session` that the engine gave it, it only gives back.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from engine.conduct.age_answers import STANDS as STANDS
from engine.conduct.detection_actions import Act as Act
from engine.core.bus_messages import Ended as Ended
from engine.core.session_address import Address
from engine.core.states import CHATTING as CHATTING
from engine.core.states import STATES as STATES
from engine.core.states import WAITING as WAITING
from engine.core.wait_histograms import CHAT_BOUNDS as CHAT_BOUNDS
from engine.core.wait_histograms import COMMON_BOUNDS as COMMON_BOUNDS
from engine.core.wait_histograms import MODES as MODES
from engine.core.wait_histograms import SOLVE_BOUNDS as SOLVE_BOUNDS
from engine.core.wait_histograms import WAIT_BOUNDS as WAIT_BOUNDS
from engine.migrate.record_fields import bare as bare
from engine.migrate.record_fields import write_last as write_last
from engine.wire.frames import banned as banned
from engine.wire.frames import error as error
from engine.wire.frames import hello as hello
from engine.wire.frames import left as left
from engine.wire.frames import notice as notice
from engine.wire.requests import Report as Report
from engine.wire.requests import Save as Save
from ext.net.ring import Ring


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
        """Whether somebody in it hides their address."""

    @property
    def question(self) -> str | None: ...
    @property
    def people(self) -> tuple[tuple[int, int, str], ...]:
        """(side, identity, address) of each; empty where nothing is kept."""

    @property
    def colleges(self) -> tuple[str | None, ...]:
        """By side, where one was shown."""

    @property
    def found(self) -> Mapping[tuple[int, str], int]:
        """The first line of each side in which a rule found something."""


class SeatView(Protocol):
    """One side of a chat (`engine.core.chat.Seat`)."""

    @property
    def chat(self) -> ChatView: ...
    @property
    def side(self) -> int: ...
    @property
    def others(self) -> tuple[tuple[int, Address], ...]:
        """(side, address) of everybody else."""

    @property
    def inside(self) -> bytes:
        """The facts of `matched` as JSON members, without braces; empty before it was told."""

    @property
    def ended(self) -> float:
        """Monotonic seconds when the chat ended; 0.0 before."""

    @property
    def reported(self) -> str | None:
        """The receipt of this side's report; empty where there is none to read, None where it made none."""


class SessionView(Protocol):
    """A session (`engine.core.session.Session`)."""

    @property
    def id(self) -> int: ...
    @property
    def conn(self) -> int:
        """Its live connection, 0 while away."""

    @property
    def state(self) -> int:
        """An index of STATES."""

    @property
    def seat(self) -> SeatView | None: ...
    @property
    def past(self) -> SeatView | None:
        """The last chat, for save and report."""


class HistogramView(Protocol):
    """A histogram (`engine.core.wait_histograms.Histogram`): how many fell into each bucket, the last above all bounds."""

    @property
    def counts(self) -> Sequence[int]: ...
    @property
    def total(self) -> float: ...
