"""Receive all events of sessions and dispatch each to the part of the engine that handles it: the entry of the package `engine`.

The caller delivers all bus messages, including those sent during delivery, before it passes the next event. `now` is monotonic seconds.
"""

# The caller drops a FRAME or CONFIRMED of a connection that is no longer `session.conn`; `lost` (connection closed) is always called.

from collections.abc import Callable, Iterable

from engine.chats.age_question import AgeQuestion
from engine.chats.age_question_pause import ChatHolds
from engine.chats.camera_checks import CameraChecks
from engine.chats.challenges import Challenges
from engine.chats.chat_lifecycle import Chats
from engine.chats.detection_handler import Detections
from engine.chats.grooming import Grooming
from engine.chats.kept_seats import KeptSeats
from engine.chats.opener_pause import OpenerPause
from engine.chats.reactions import Reactions
from engine.chats.safety_tips import LineTips
from engine.chats.search import Search
from engine.chats.sent_pictures import SentPictures
from engine.chats.session_presence import Presence
from engine.chats.unread_notices import UnreadNotices
from engine.conduct.age_answers import AgeAnswers
from engine.conduct.daily_detections import DailyDetections
from engine.conduct.detection_classes import AGE_NUMBER, RULES
from engine.conduct.detection_consequences import AGE_CLAIM
from engine.conduct.friction_points import Friction
from engine.conduct.video_pauses import VideoPauses
from engine.core.bus_messages import (
    Begin,
    BusMessage,
    Ended,
    Held,
    Moved,
    OpenerPaused,
    PicturesAllowed,
    PictureSent,
    Reacted,
    Replaced,
    WantsAgain,
)
from engine.core.chat import Address, name_of_chat
from engine.core.engine_state import EngineState
from engine.core.ports import Bus, Out, Outside, Room, Seats
from engine.core.session import Session as Session
from engine.core.states import CHATTING, LEAVE, WAITING
from engine.matching.interest_numbers import Vocabulary
from engine.matching.lobby import Lobby, MatcherFull
from engine.matching.thresholds import Thresholds as Thresholds
from engine.migrate.session_migration import SessionMigration
from engine.migrate.session_record import OLDEST as OLDEST
from engine.migrate.session_record import VERSION as VERSION
from engine.migrate.session_record import BadRecord as BadRecord
from engine.migrate.session_record import SessionRecord as SessionRecord
from engine.migrate.session_record import agreed as agreed
from engine.rooms.local_waiting_room import WaitingRoom
from engine.rooms.remote_waiting_room import RemoteRoom
from engine.wire.client_requests import (
    Again,
    Block,
    Find,
    Here,
    Leave,
    Message,
    NoSnap,
    Picture,
    Pictures,
    Ping,
    React,
    Report,
    Request,
    Resume,
    Save,
    Seen,
    Signal,
    Solution,
    Typing,
    parse,
)
from engine.wire.engine_errors import Busy, KeptOut, Refusal
from engine.wire.protocol import AGE, FAULTS, MODERATION, STRANGER
from engine.wire.rule_constants import Settings as Settings
from engine.wire.server_frames import PONG, left
from ext.net.chat_ring import Rings

TALKING_EVERY = 5.0  # seconds between two counts of the users who talk
_LANGUAGE = b',"language":"'  # in `Seat.inside`; within a JSON string its quotes would be escaped


def language_of(inside: bytes) -> str:
    """Return the language in the encoded facts of a chat; empty if it is unknown or any."""
    _, _, rest = inside.partition(_LANGUAGE)
    return rest[: rest.find(b'"')].decode().removeprefix("*")


class Engine:
    """All sessions of one worker."""

    def __init__(
        self,
        room: Room,
        words: Vocabulary,
        rings: Rings,
        outside: Outside,
        out: Out,
        bus: Bus,
        settings: Settings | None = None,
        *,
        keeps: bool = False,
        steady: bool = False,
        on_report: Callable[[int, int, tuple[str, ...]], None] | None = None,
    ) -> None:
        """`steady`: see `SessionMigration`; `on_report`: see `RecentPartners`."""
        self._core = core = EngineState(words, rings, outside, out, bus, settings or Settings(), keeps, on_report)
        self._tips = tips = LineTips(core)
        self._snaps = snaps = CameraChecks(core, tips)
        self._openers = openers = OpenerPause(core)
        self._pictures = pictures = SentPictures(core, tips)
        self._chats = chats = Chats(core, snaps, openers, room, pictures)
        self._reactions = Reactions(core)
        self._kept = kept = KeptSeats(core, chats)
        self._notices = notices = UnreadNotices(core)
        grooming = Grooming(core, chats, tips)
        self._findings = Detections(core, tips, grooming)
        self._holds = holds = ChatHolds(core, chats)
        self._ages = ages = AgeQuestion(core, chats, tips, holds, grooming)
        self._trials = trials = Challenges(core)
        self._search = search = Search(core, room, chats, kept, notices, ages, trials)
        self._presence = presence = Presence(core, chats, holds, search, notices)
        self.moves = SessionMigration(core, search, presence, steady)
        self.sessions = core.sessions
        self.tally = core.tally
        self.measures = core.measures
        self._elsewhere = 0  # users in other processes that do not name them, as last reported
        self._named: frozenset[int] = frozenset()  # the users in other processes that name them
        self._talking: dict[str, int] = {}
        self._counted = float("-inf")  # when they were counted

    @classmethod
    def build(
        cls,
        rings: Rings,
        outside: Outside,
        out: Out,
        bus: Bus,
        settings: Settings | None = None,
        *,
        keeps: bool = False,
        thresholds: Thresholds | None = None,
    ) -> "Engine":
        """Build an engine with its own waiting room and these thresholds (rule 6)."""
        lobby = Lobby(thresholds or Thresholds())
        return cls(WaitingRoom(lobby), lobby, rings, outside, out, bus, settings, keeps=keeps)

    @classmethod
    def of_hub(
        cls,
        make_room: Callable[[Seats], RemoteRoom],
        rings: Rings,
        outside: Outside,
        out: Out,
        bus: Bus,
        settings: Settings | None = None,
        *,
        keeps: bool = False,
    ) -> "Engine":
        """Build an engine whose waiting room is in another process. `make_room` is called once, and calls none of its argument's functions."""
        room = make_room(
            Seats(
                meet=lambda found, now: engine._search.meet(found, now),
                is_waiting=lambda client: engine._search.waits(client) is not None,
                tell=lambda step: engine._search.tell_client(step),
                send_away=lambda client, now: engine._presence.send_away(engine.sessions[client], now),
                called=lambda call: engine._search.tell_call(call),
                here=lambda client, places: engine._search.tell_here(client, places),
                wanted=lambda client, chat, side, now: engine.deliver(
                    client, WantsAgain(name_of_chat(chat), side), now
                ),
            )
        )
        engine = cls(
            room, room.vocabulary, rings, outside, out, bus, settings, keeps=keeps, steady=True, on_report=room.bar
        )
        return engine

    def change_limits(self, find_burst: int, find_interval: float) -> None:
        """Set the limits of rule 10 from now on: finds at once per person, and seconds between finds in the long run."""
        self._search.finds.change(find_burst, find_interval)

    # events

    def opened(
        self,
        conn: int,
        key: int,
        identity: int,
        address: str,
        now: float,
        alias: int = 0,
        way: int = 0,
        port: int = 0,
    ) -> Session:
        """Open a session for an accepted connection; the caller sends `hello`, then calls `notify`.

        `key`: fresh, random, up to 63 bits; `identity`: 0 without a cookie. `alias`: the person as another protocol names them, without an
        identity; 0: unknown. `way`: bits of PLAIN and so on (`engine.wire.protocol`). `port`: the source port; 0: unknown.
        """
        session = self.sessions[key] = Session(key, conn, identity, address, alias=alias)
        session.way = way
        session.port = port
        self._core.connected(session)
        self._trials.opened(session, now)
        return session

    def returns(self, identity: int, address: str, now: float) -> bool:
        """Whether a new connection may belong to a session that is away."""
        return self._presence.returns(identity, address, now)

    def frame(self, session: Session, payload: bytes, now: float) -> None:
        """Handle a text frame that needs a decision."""
        fresh = session.fresh
        session.fresh = False
        try:
            request = parse(payload)
            if type(request) is Find:
                self._search.find(session, request, now)
            elif type(request) is Leave:
                self._leave(session, now)
            elif type(request) is Message:
                self._chats.message(session, request, now)
            elif type(request) is Typing:
                self._chats.typing(session, request, now)
            elif type(request) is Signal:
                self._chats.signal(session, request, now)
            elif type(request) is Resume and fresh:
                self._presence.resume(session, request, now)
            else:
                self._seldom(session, request, now)
        except Refusal as refusal:
            self._refused(session, refusal)
        except (MatcherFull, Busy):
            self._presence.send_away(session, now)
        except KeptOut:
            self._keep_out(session, now)

    def _seldom(self, session: Session, request: Request, now: float) -> None:
        """Handle a frame that a chat can do without."""
        if type(request) is React:
            self._reactions.react(session, request, now)
        elif type(request) is Pictures:
            self._pictures.allow(session, request, now)
        elif type(request) is Picture:
            self._pictures.send(session, request, now)
        elif type(request) is Save:
            self._chats.save(session, request, now)
        elif type(request) is Report:
            self._chats.report(session, request, now)
        elif type(request) is Block:
            self._chats.block(session, request, now)
        elif type(request) is Again:
            self._chats.again(session, request, now)
        elif type(request) is Here:
            self._search.here(session, request, now)
        elif type(request) is Seen:
            self._notices.seen(session, request, now)
        elif type(request) is NoSnap:
            self._snaps.refused(session, request)
        elif type(request) is Ping:
            self._core.send(session.conn, PONG)
        elif type(request) is Solution:
            if request.kind == AGE:
                self._ages.solution(session, request, now)
            else:
                self._trials.solution(session, request, now)
        else:
            raise Refusal("bad_type", "resume")  # not the first frame

    def _refused(self, session: Session, refusal: Refusal) -> None:
        self._chats.refused(session, refusal)
        self._core.refuse(session, refusal.code, refusal.of, refusal.id, refusal.retry_after, refusal.field)

    def arrived(self, key: int, now: float) -> None:
        """Continue the resumes that wait for the session of a key, which migrated here or will not (`Outside.may_be_migrating`)."""
        for fresh, request in self._presence.awaited(key):
            try:
                self._presence.again(fresh, key, request, now)
            except Refusal as refusal:
                self._refused(fresh, refusal)

    def lost(self, session: Session, conn: int, how: int, now: float) -> None:
        """Handle a lost connection; `how`: LEFT, DROPPED, BROKEN, FLOODED or CLOSED."""
        self._presence.lost(session, conn, how, now)

    def confirmed(self, session: Session, now: float) -> None:
        """Handle the first text frame after `resumed`."""
        self._presence.confirmed(session)

    def deliver(self, address: Address, message: BusMessage, now: float) -> None:
        """Deliver a bus message."""
        session = self.sessions.get(address)
        if session is not None:
            if type(message) is Begin:
                self._chats.begin(session, message, now)
            elif type(message) is Ended:
                self._chats.ended(session, message, now)
            elif type(message) is Moved:
                self._chats.moved(session, message, now)
            elif type(message) is Held:
                self._holds.changed(session, message, now)
            elif type(message) is OpenerPaused:
                self._openers.changed(session, message)
            elif type(message) is Replaced:
                self._kept.replaced(session, message)
            elif type(message) is Reacted:
                self._reactions.reacted(session, message)
            elif type(message) is PicturesAllowed:
                self._pictures.allowed(session, message)
            elif type(message) is PictureSent:
                self._pictures.came(session, message)
            elif type(message) is WantsAgain:
                self._chats.wants_again(session, message, now)
        elif type(message) is Begin:
            self._chats.decline(message.seat)

    def tick(self, now: float) -> None:
        """Do what is due at `now`: steps of tickets, ends of graces, camera checks."""
        self._search.advance(now)
        self._presence.expire(now)
        self._snaps.tick(now)

    def due(self) -> float | None:
        """Return when `tick` has work next; None: never. May be early, never late."""
        room, presence, snaps = self._search.room.due(), self._presence.due(), self._snaps.due()
        first = presence if room is None or (presence is not None and presence < room) else room
        return snaps if first is None or (snaps is not None and snaps < first) else first

    # called by the server

    def drain_for_restart(self, now: float, retry_after: Callable[[], float]) -> None:
        """Close all connections with `restart` and `retry_after()` seconds each; chats end with `left`."""
        for session in list(self.sessions.values()):
            self._chats.cut(session)
            if session.conn:
                if session.state == CHATTING:
                    self._core.send(session.conn, left("lost", None))
                self._core.close(session.conn, "restart", retry_after())
                session.conn = 0
        self._core.here = 0
        self._core.people.clear()

    def ban(self, session: Session, frame: bytes, now: float) -> None:
        """End a session with the closing error `frame`; its partner gets `left` by `moderation`."""
        if session.conn:
            self._core.count("error banned")
            self._core.out.close(session.conn, FAULTS["banned"].close, frame)
            session.conn = 0
            self._core.disconnected(session)
        self._presence.end(session, MODERATION, now)

    def forsake(self, session: Session, now: float) -> None:
        """End a session that another process owns; its partner here gets `left` by `lost`."""
        self._presence.send_away(session, now)

    def challenge(self, session: Session, kind: str, level: int, parameters: object, within: float, now: float) -> None:
        """Send a challenge that `Outside.make_challenge` requested, valid for `within` seconds."""
        self._trials.given(session, kind, level, parameters, within, now)

    def unmade(self, session: Session, level: int) -> None:
        """Note that a challenge could not be made: the next search asks again."""
        self._trials.failed(session, level)

    def unchecked(self, session: Session, level: int, barred: float, now: float) -> None:
        """Handle a solution that could not be checked: ask for another challenge or, with `barred`, accept none for so many seconds."""
        try:
            self._trials.unchecked(session, level, barred, now)
        except Busy:
            self._presence.send_away(session, now)

    def judged(self, session: Session, level: int, right: bool, now: float) -> None:
        """Handle the verdict on a solution (`Outside.check_answer`)."""
        try:
            self._trials.judged(session, level, right, now)
        except Busy:
            self._presence.send_away(session, now)

    def close_searches(self, on: bool, now: float) -> None:
        """Begin or end maintenance: no search begins, and those that wait end; chats continue."""
        if on:
            self._search.close(list(self.sessions.values()), now)
        else:
            self._core.closed = False

    def remove(self, session: Session, now: float) -> None:
        """End a session by an operator's order; its partner gets `left` by `moderation`."""
        if session.conn:
            self._core.close(session.conn, "removed")
            session.conn = 0
            self._core.disconnected(session)
        self._presence.end(session, MODERATION, now)

    def pause_video(self, session: Session, seconds: float, now: float) -> None:
        """Pause a user's video by an operator's order: a call that runs is hung up, its chat continues by text; a search for video ends."""
        self._snaps.pause(session, seconds, now)
        query = session.query
        if session.state == WAITING and query is not None and query.terms.video:
            self._search.refuse(session, "snaps", seconds, now)

    def send_all(self, sessions: Iterable[Session], frame: bytes) -> None:
        """Send a frame to each of these sessions that is connected."""
        for session in sessions:
            if session.conn:
                self._core.send(session.conn, frame)

    def notify(self, session: Session) -> None:
        """Send the oldest unread notice, if there is one."""
        self._notices.tell(session)

    def found(self, chat: int, side: int, number: int, rule: str, now: float, age: int = 0) -> None:
        """Handle a detection of the screening program in a line (`engine.conduct.detection_classes`).

        `chat`: its number at the tap; `age`: the age that was written, 0: unknown.
        """
        kind = RULES.get(rule)
        if kind is None:
            return
        name = name_of_chat(chat)
        if rule == AGE_NUMBER and not self._ages.is_answer(name, side, number):
            return
        self._tips.found(name, side, number, rule)
        self._findings.found(name, side, number, rule, now)
        if kind.name == AGE_CLAIM:
            self._ages.found(name, side, number, rule, age, now)

    def pictured(self, nonce: str, what: str, now: float) -> None:
        """Handle a picture of a `snap` (`theirs`, `mine`) or the result of one, or of a sent picture (`engine.conduct.camera_verdicts`, or `known`).

        A nonce that is not of this process, or too old, is ignored.
        """
        self._snaps.pictured(nonce, what, now)
        self._pictures.judged(nonce, what, now)

    def suspect(self, session: Session, now: float) -> None:
        """Check the cameras of a session's call soon: a picture that it sent unasked is not clean, which proves nothing."""
        self._snaps.suspected(session, now)

    def change_pictures(self, mean: float, checked: bool = False) -> None:
        """Set the mean seconds between two camera checks of a chat from the next one on; 0.0: none, and clients need not answer.

        `checked`: whether pictures that users send each other can be checked.
        """
        self._snaps.mean = mean
        self._pictures.checked = checked

    def sweep(self, now: float) -> None:
        """Drop what is kept for seconds only; call it about once a second."""
        self._holds.sweep(now)
        self._openers.sweep(now)
        self._findings.sweep(now)
        self._snaps.sweep(now)
        self._pictures.sweep(now)

    def underage(self, person: int, now: float) -> bytes | None:
        """Return the closing error of a person who said that they are under 18; None: they did not, or a day has passed."""
        return self._ages.closing(person, now)

    def _keep_out(self, session: Session, now: float) -> None:
        """End the session of a person who said so."""
        frame = self._ages.closing(session.person, now)
        if frame is not None:
            self.ban(session, frame, now)

    def saved(self, session: Session, url: str | None, delete: str, wait: float = 0.0, chat: str = "") -> None:
        """Handle the store's answer to a save of `chat` (empty: unknown): `url` None: it failed; with `wait` it can be tried in so many seconds."""
        self._chats.saved(session, url, delete, wait, chat)

    def save_again(self, session: Session) -> None:
        """Repeat the saves of a session that migrated here, whose source answers them no more."""
        self._chats.save_again(session)

    # figures

    @property
    def people(self) -> int:
        """Number of connected users, here and in other processes: the windows of one browser are one user."""
        here = self._core.people
        return len(here) + self._elsewhere + len(self._named.difference(here))

    def connected_people(self, most: int) -> tuple[int, list[int]]:
        """Return the number of users who are connected here, and their keys, if they are `most` or fewer."""
        here = self._core.people
        return len(here), list(here) if len(here) <= most else []

    def talking(self, now: float) -> dict[str, int]:
        """Return how many users talk, by the language of their chat: here, or of all processes if the hub counts them. At most TALKING_EVERY old."""
        everywhere = self.room.talking()
        if everywhere is not None:
            return everywhere
        return self.talking_here(now)

    def talking_here(self, now: float) -> dict[str, int]:
        """Return the same of this process alone."""
        if now - self._counted >= TALKING_EVERY:
            self._counted = now
            found: dict[str, int] = {}
            for id in self._core.talking.values():
                session = self.sessions.get(id)
                if session is not None and session.seat is not None:
                    language = language_of(session.seat.inside)
                    if language:
                        found[language] = found.get(language, 0) + 2
            self._talking = found
        return self._talking

    def set_elsewhere(self, people: int, named: Iterable[int]) -> None:
        """Note the users in other processes: how many are not named, and those who are."""
        self._elsewhere, self._named = people, frozenset(named)

    @property
    def online(self) -> int:
        """Number of sessions with a connection here."""
        return self._core.here

    @property
    def room(self) -> Room:
        """Waiting room, read only."""
        return self._search.room

    @property
    def words_dropped(self) -> int:
        """Number of interests that were not accepted for lack of room."""
        return self._core.words.dropped

    @property
    def friction(self) -> Friction:
        """Table of friction; the server adds facts."""
        return self._trials.friction

    @property
    def ages(self) -> AgeAnswers:
        """Table of age answers; the server adds those of other processes."""
        return self._core.ages

    @property
    def daily(self) -> DailyDetections:
        """Table of detections of the last day; the server adds those of other processes."""
        return self._core.daily

    @property
    def pauses(self) -> VideoPauses:
        """Table of video pauses; the server adds those of other processes."""
        return self._core.pauses

    @property
    def rings(self) -> Rings:
        """Memory of chats, read only."""
        return self._core.rings

    def _leave(self, session: Session, now: float) -> None:
        before = session.state
        if before != CHATTING and before != WAITING:
            raise Refusal("not_waiting", "leave")
        session.move(LEAVE)
        if before == CHATTING:
            self._chats.leave(session, STRANGER, now)
        else:
            self._search.stop(session, now)
