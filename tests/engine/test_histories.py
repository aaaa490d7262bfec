"""Random histories: whatever people do, in whatever order, some things always hold.

Checked by the world (`tests.engine.world`) on every call of `Out`: none for a dead connection, no two at one side of
a ring. Checked here: nobody is in two chats, a match is mutual, everybody hears of an end exactly once, numbers have no
gaps, nothing is left when everybody left and time went by.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.core.session import Session
from engine.core.states import CHATTING, GONE, IDLE, PARTED, WAITING
from engine.matching.pool_counts import EMPTY_FOR
from engine.wire.protocol import BROKEN, CLOSED, DROPPED, FLOODED, LEFT, PAST_FOR, WATCHER
from engine.wire.rule_constants import Settings
from tests.engine.world import Wire, World
from tests.support.groups import examples

WHO = st.integers(0, 5)


class Person:
    """One client that comes back now and then, and checks what it gets."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.token = str(wire.session.key)
        self.chat: str | None = None  # as this client sees it
        self.role = ""
        self.last = 0
        self.said = 0  # messages of the present chat that the engine took
        self.last_chat: str | None = None
        self.left: tuple[str, str, int] | None = None  # chat, role and last line of the chat that was left with `keep`
        self.way = ""  # the token that leads back there

    @property
    def here(self) -> bool:
        return self.wire.closed is None

    def hear(self) -> None:
        """Take in what came, in order."""
        for frame in self.wire.take():
            kind = frame["type"]
            if kind == "kept":
                assert self.left is not None, "kept without having left"
                self.way = frame["token"]
            elif kind == "matched":
                assert self.chat is None, "matched while in a chat"
                self.chat = self.last_chat = frame["chat"]
                self.role = frame["role"]
                self.last = self.said = 0
            elif kind == "left":
                assert self.chat is not None, "left without a chat, or twice"
                self.chat = None
            elif kind == "resumed":
                assert frame["chat"] == self.chat or self.chat is None, "resumed into another chat"
                if frame["chat"] != self.chat:
                    self.chat = self.last_chat = frame["chat"]
                    self.role = frame["role"]
                    self.last = 0
                if self.role != "spy" and self.chat is not None:
                    self.said = frame["taken"]
            elif kind == "message":
                assert self.chat is not None, "a message without a chat"
                assert frame["seq"] > self.last, "doubled, or out of order"
                assert frame["text"] == f"{self.chat} {frame['seq']}", "lost, or of another chat"
                self.last = frame["seq"]


class Histories(RuleBasedStateMachine):
    """A few people and everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(Settings(limits=False))
        self.all: list[Person] = []

    @initialize(identities=st.lists(st.integers(0, 3), min_size=4, max_size=6))
    def begin(self, identities: list[int]) -> None:
        for identity in identities:
            self.comes(identity)

    @rule(identity=st.integers(0, 3))
    def comes(self, identity: int) -> None:
        if len(self.all) < 6:
            self.all.append(Person(self.world.open(identity)))

    @rule(who=WHO, other=WHO)
    def meet(self, who: int, other: int) -> None:
        """Two look for anybody until they find somebody."""
        for person in (self.person(who), self.person(other)):
            if person is not None and person.here and person.chat is None:
                self._frame(person, type="find")
        self.time_goes_by(31.0)

    @rule(
        who=WHO,
        likes=st.lists(st.sampled_from(["chess", "tea", "go"]), max_size=3),
        strict=st.booleans(),
        role=st.sampled_from(["stranger", "stranger", "stranger", "spy", "discuss"]),
        language=st.sampled_from(["en", "en", "de", "*"]),
    )
    def finds(self, who: int, likes: list[str], strict: bool, role: str, language: str) -> None:
        person = self.person(who)
        if person is not None and person.here:
            person.hear()
            person.chat = None
            self._frame(
                person,
                type="find",
                interests=likes,
                strict=strict,
                role=role,
                language=language,
                question="Why is it so at all?",
            )

    @rule(who=WHO)
    def leaves(self, who: int) -> None:
        person = self.person(who)
        if person is not None and person.here:
            person.hear()
            person.chat = None
            self._frame(person, type="leave")

    @rule(who=WHO)
    def moves_on(self, who: int) -> None:
        person = self.person(who)
        if person is not None and person.here and person.chat is not None:
            person.hear()
            if person.chat is not None:
                person.left, person.way, person.chat = (person.chat, person.role, person.last), "", None
                self._frame(person, type="find", keep=True)

    @rule(who=WHO, seconds=st.sampled_from([0.0, 0.5, 2.0, 4.0]))
    def goes_back(self, who: int, seconds: float) -> None:
        """Return to the chat that was left, in time or too late, from the search or from the next chat."""
        self.time_goes_by(seconds)
        person = self.person(who)
        if person is None or not person.here or not person.way or person.left is None:
            return
        (chat, person.role, person.last), token = person.left, person.way
        person.way, person.left = "", None
        person.hear()
        self.world.lose(person.wire, LEFT)
        person.wire = self.world.resume(person.wire, person.last, token, chat=chat)
        person.chat = chat if person.wire.got and person.wire.got[0]["type"] == "resumed" else None
        person.last_chat = person.chat
        person.token = str(person.wire.session.key)
        self._hear()

    @rule(who=WHO, canonical=st.booleans())
    def says(self, who: int, canonical: bool) -> None:
        person = self.person(who)
        if person is not None and person.here and person.chat is not None and person.role != "spy":
            text = f"{person.chat} {person.wire.session.seat.chat.ring.last + 1}"  # type: ignore[union-attr]
            if canonical:
                self.world.say(person.wire, text)
            else:
                self.world.raw(person.wire, b'{ "type":"message", "text":"%s"}' % text.encode())
            self._hear()

    @rule(
        who=WHO,
        frame=st.sampled_from(
            [
                b"{}",
                b"x",
                b'{"type":"message"}',
                b'{"type":"signal","candidate":null}',
                b'{"type":"typing","typing":true}',
                b'{"type":"report","reason":"spam"}',
                b'{"type":"save"}',
                b'{"type":"block"}',
                b'{"type":"seen","id":"x"}',
                b'{"type":"react","seq":1,"face":"heart"}',
                b'{"type":"react","seq":2}',
            ]
        ),
    )
    def errs(self, who: int, frame: bytes) -> None:
        person = self.person(who)
        if person is not None and person.here:
            person.hear()
            for got in self.world.raw(person.wire, frame):
                assert got["type"] in ("error", "reported", "blocked")
            self._hear()

    @rule(who=WHO, how=st.sampled_from([DROPPED, DROPPED, CLOSED, LEFT, BROKEN, FLOODED]))
    def is_lost(self, who: int, how: int) -> None:
        person = self.person(who)
        if person is not None and person.here:
            person.hear()
            person.token = str(person.wire.session.key)
            self.world.lose(person.wire, how)
            if how in (LEFT, BROKEN):
                self.all.remove(person)
                assert person.wire.session.state == GONE
            self._hear()

    @rule(who=WHO)
    def comes_back(self, who: int) -> None:
        person = self.person(who)
        if person is not None and not person.here:
            before = person.chat
            person.wire = self.world.resume(
                person.wire, person.last, person.token, **({} if before is None else {"chat": before})
            )
            got = person.wire.got
            if got and got[0]["type"] == "error":
                person.chat = None
                person.last_chat = None
            elif got and got[0]["type"] == "resumed" and before is not None and got[0]["chat"] is None:
                raise AssertionError("the chat is gone without a word")
            person.token = str(person.wire.session.key)
            self._hear()

    @rule(who=WHO, others=st.lists(WHO, max_size=4), seconds=st.sampled_from([0.5, 14.0, 16.0]))
    def blinks(self, who: int, others: list[int], seconds: float) -> None:
        """A drop, what others say meanwhile, some of them dropping too, and back."""
        self.is_lost(who, DROPPED)
        for other in others:
            self.says(other, True)
        for other in others[2:]:
            self.is_lost(other, DROPPED)
        self.time_goes_by(seconds)
        for other in (who, *others):
            self.comes_back(other)

    @rule(seconds=st.sampled_from([0.5, 4.0, 11.0, 16.0, 40.0, 700.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.world.wait(seconds)
        self._hear()

    def person(self, who: int) -> Person | None:
        """The one of that number, if there are so many."""
        return self.all[who] if who < len(self.all) else None

    def _frame(self, person: Person, **frame: Any) -> None:
        got = self.world.send(person.wire, **frame)
        person.wire.got = got
        self._hear()

    def _hear(self) -> None:
        for person in self.all:
            if person.here:
                person.hear()

    @invariant()
    def every_chat_is_mutual_and_nobody_is_in_two(self) -> None:
        seats: dict[str, list[Session]] = {}
        for session in self.world.engine.sessions.values():
            assert (session.seat is not None) == (session.state in (CHATTING, PARTED))
            assert (session.query is not None) == (session.state == WAITING)
            if session.seat is not None:
                seats.setdefault(session.seat.chat.id, []).append(session)
        for sessions in seats.values():
            here = [session for session in sessions if session.state == CHATTING]
            sides = [session.seat.side for session in sessions if session.seat is not None]
            assert len(set(sides)) == len(sides)
            talk = [session for session in here if session.seat is not None and session.seat.side != WATCHER]
            assert len(talk) in (0, 2)

    @invariant()
    def clients_and_engine_agree(self) -> None:
        for person in self.all:
            if person.here:
                session = person.wire.session
                seat = session.seat
                assert person.chat == (None if seat is None else seat.chat.id)
                assert (person.wire.ring is not None) == (session.state == CHATTING)
                assert session.state in (IDLE, WAITING, CHATTING)

    @invariant()
    def the_lobby_holds_the_waiting_and_nobody_else(self) -> None:
        engine = self.world.engine
        waiting = {session.id for session in engine.sessions.values() if session.state == WAITING}
        lobby, spies = engine.room.lobby, engine.room.spy_queue
        there = set(lobby._tickets) | set(lobby._aside) | set(spies._spies) | set(spies._discuss) | set(spies._aside)  # type: ignore[attr-defined]
        assert there == waiting

    def teardown(self) -> None:
        """Everybody leaves and time goes by: nothing is left."""
        world = self.world
        for person in self.all:
            if person.here:
                world.lose(person.wire, LEFT)
        world.wait(20 + max(2 * EMPTY_FOR, PAST_FOR))
        engine, core = world.engine, world.engine._core
        assert not engine.sessions
        assert not core.aliases
        assert (core.here, core.people) == (0, {})
        assert engine.due() is None
        assert not world.lobby.in_use
        self.all.clear()
        assert world.rings.counters()["rings"] == 0


Histories.TestCase.settings = settings(max_examples=examples(100), stateful_step_count=50, deadline=None)
TestHistories = Histories.TestCase
