"""Hold the state that several parts of the engine share: the sessions, the output port, the tables of `engine.conduct`, functions of the server.

This module makes no decisions.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.conduct.age_answers import AgeAnswers
from engine.conduct.daily_detections import DailyDetections, mark_of
from engine.conduct.friction_points import Friction
from engine.conduct.opener_counts import OpenerCounts
from engine.conduct.video_pauses import VideoPauses
from engine.core.chat import Seat
from engine.core.ended_seats import EndedChats
from engine.core.engine_histograms import EngineHistograms
from engine.core.interest_quota import InterestLimits
from engine.core.ports import Bus, Out, Outside
from engine.core.session import Session
from engine.matching.interest_numbers import Vocabulary
from engine.matching.recent_partners import RecentPartners
from engine.wire.protocol import FAULTS, PAST_FOR
from engine.wire.rule_constants import Settings
from engine.wire.server_frames import error
from ext.match.due_heap import DueHeap
from ext.net.chat_ring import Rings

_PAST_FOR: Final = PAST_FOR  # a number of C in the compiled module


class EngineState:
    """Shared state of one engine."""

    __slots__ = (
        "ages",
        "aliases",
        "closed",
        "daily",
        "deadlines",
        "friction",
        "here",
        "keeps",
        "lately",
        "measures",
        "openers",
        "out",
        "outside",
        "pauses",
        "people",
        "post",
        "recents",
        "rings",
        "send",
        "sessions",
        "settings",
        "talking",
        "tally",
        "vocabulary",
        "words",
    )

    def __init__(
        self,
        vocabulary: Vocabulary,
        rings: Rings,
        outside: Outside,
        out: Out,
        bus: Bus,
        settings: Settings,
        keeps: bool,
        on_report: Callable[[int, int, tuple[str, ...]], None] | None = None,
    ) -> None:
        self.out = out
        self.send = out.send
        self.post = bus.send  # (address, message)
        self.vocabulary = vocabulary
        self.rings = rings
        self.outside = outside
        self.settings = settings
        self.keeps = keeps  # a store is configured
        self.recents = RecentPartners(outside.new_id, on_report)
        self.daily = DailyDetections()
        self.friction = Friction(daily=self.daily)
        self.ages = AgeAnswers()
        self.openers = OpenerCounts()
        self.pauses = VideoPauses()  # persons whose video is off
        self.words = InterestLimits(vocabulary, settings.limits)
        self.sessions: dict[int, Session] = {}  # by id; includes sessions that are away
        self.aliases: dict[int, Session] = {}  # by token key, if it differs from the id: resumed sessions only
        self.talking: dict[str, int] = {}  # running chats: id to the session id of side 0
        self.deadlines = (
            DueHeap()
        )  # when sessions that are away end, and last chats are forgotten (`engine.chats.session_presence`)
        self.lately = EndedChats()  # chats that ended a few seconds ago
        self.here = 0  # sessions with a connection
        self.people: dict[int, int] = {}  # the connected users, and how many connections each has
        self.measures = EngineHistograms()
        self.tally: dict[str, int] = {}  # events for metrics: name to count
        self.closed = False  # maintenance: no search begins

    def leave(self, record: dict[str, Any], person: int, now: float, keep: bool) -> None:
        """Add the conduct of a migrating person to their session record; it is deleted here unless `keep`."""
        self.recents.leave(record, person, now, keep)
        conduct, age = self.friction.leave(person, now, keep), self.ages.leave(person, now, keep)
        paused, daily = self.pauses.leave(person, now, keep), self.daily.leave(person, now, keep)
        if conduct:
            record["conduct"] = conduct
        if age:
            record["age"] = age
        if paused:
            record["paused"] = paused
        if daily:
            record["daily"] = daily

    def enter(self, person: int, record: Mapping[str, Any], now: float) -> None:
        """Import the conduct of a person from a session record that `leave` made."""
        for name in ("met", "made", "got"):
            if name in record:
                self.recents.enter(person, name, record[name], now)
        if "conduct" in record:
            self.friction.enter(person, record["conduct"], now)
        if "age" in record:
            self.ages.enter(person, record["age"], now)
        if "paused" in record:
            self.pauses.enter(person, record["paused"], now)
        if "daily" in record:
            self.daily.enter(person, record["daily"], now)

    def detected(self, session: Session, name: str, chat: str, now: float) -> int:
        """Count a detection of class `name` against a user for a day, here and in the other processes. Return the number of such chats; 0: known."""
        mark = mark_of(chat)
        chats = self.daily.add(session.person, name, mark, now, now)
        if chats:
            self.count("detected " + name)
            if session.identity:
                self.outside.publish_detection(session.identity, name, mark)
        return chats

    def connected(self, session: Session) -> None:
        """Count a session that has a connection now, and its user."""
        self.here += 1
        person = session.person
        self.people[person] = self.people.get(person, 0) + 1

    def disconnected(self, session: Session) -> None:
        """Count a session no more whose connection ends."""
        self.here -= 1
        person = session.person
        others = self.people.get(person, 0) - 1
        if others > 0:
            self.people[person] = others
        else:
            self.people.pop(person, None)

    def remember(self, session: Session, past: Seat) -> None:
        """Keep the seat of a chat that ended as the user's last one, until `forget_past` at its deadline."""
        session.past = past
        self.deadlines.push(past.ended + _PAST_FOR, session.id)

    def forget_past(self, session: Session, now: float) -> None:
        """Drop the user's last seat if its PAST_FOR seconds are over; the last seat of a chat takes the chat's lines with it."""
        past = session.past
        if past is not None and past.ended + _PAST_FOR <= now:
            session.past = None

    def earlier(self, session: Session, name: str, chat: str, now: float) -> tuple[float, ...]:
        """Return when the class was detected in the user's other chats of the last day, ascending."""
        return self.daily.earlier(session.person, name, mark_of(chat), now)

    def count(self, what: str) -> None:
        """Count one event."""
        self.tally[what] = self.tally.get(what, 0) + 1

    def refuse(
        self,
        session: Session,
        code: str,
        of: str | None = None,
        id: str | None = None,
        retry_after: float | None = None,
        field: str | None = None,
    ) -> None:
        """Answer a refused frame with an `error`; the connection stays open. `field`: the name of the wrong field, for `bad_field`."""
        self.count("error " + code)
        self.send(session.conn, error(code, of, id, retry_after, field))

    def close(self, conn: int, code: str, retry_after: float | None = None) -> None:
        """Close a connection with an `error` frame."""
        self.count("error " + code)
        self.out.close(conn, FAULTS[code].close, error(code, None, None, retry_after))

    def by_key(self, key: int) -> Session | None:
        """Return the session whose token holds `key`, if this token is still valid."""
        session = self.sessions.get(key)
        if session is not None and key in (session.key, session.used):
            return session
        session = self.aliases.get(key)
        return session if session is not None and key in (session.key, session.used) else None
