"""Random histories of several workers and their hub: whatever people do, whatever is late, and whoever dies, some things always hold.

What passes between the processes stands in queues that are let through in any order; each of them keeps its own. At the end of each
history, and now and then within it, everything passes and two seconds go by: then nothing may be left half done.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.core.session import Session
from engine.core.states import CHATTING, IDLE, PARTED, WAITING
from engine.matching.pool_counts import EMPTY_FOR
from engine.matching.tickets import Ticket
from engine.wire.protocol import DROPPED, LEFT, PAST_FOR
from tests.engine.test_histories import Person
from tests.engine.workers import Host, Worker
from tests.support.groups import examples

WORKERS = 3
PEOPLE = 7
WHO = st.integers(0, PEOPLE - 1)
WHERE = st.integers(0, WORKERS - 1)
QUEUES = ("hub", "workers", "moves")
ROUNDING = 1e-6


class HubHistories(RuleBasedStateMachine):
    """A few people in three workers, and everything that can happen to them and to the processes."""

    def __init__(self) -> None:
        super().__init__()
        self.host = self.made(())
        self.all: list[Person] = []
        self.since: dict[int, tuple[type, float]] = {}  # by who waits: for what, since when
        self.late = False  # whether the hub heard of an age later than it was said

    def made(self, fixed: tuple[int, ...]) -> Host:
        """The processes; `fixed`: which workers' people do not move."""
        return Host(WORKERS, fixed=fixed)

    @initialize(
        identities=st.lists(st.integers(0, 4), min_size=4, max_size=PEOPLE),
        fixed=st.sampled_from([(), (), (1,)]),
        queues=st.sampled_from([(), QUEUES, QUEUES, ("hub",), ("moves",)]),
    )
    def begin(self, identities: list[int], fixed: tuple[int, ...], queues: tuple[str, ...]) -> None:
        self.host = self.made(fixed)
        self.host.held = lambda queue: queue in queues
        for place, identity in enumerate(identities):
            self.comes(place % WORKERS, identity)

    # people

    @rule(where=WHERE, identity=st.integers(0, 4))
    def comes(self, where: int, identity: int) -> None:
        where = self.host.number(where)
        if len(self.all) < PEOPLE and where in self.host.workers:
            self.all.append(Person(self.host.workers[where].open(identity)))

    @rule(
        who=WHO,
        likes=st.lists(st.sampled_from(["chess", "Tea", "go"]), max_size=3, unique=True),
        strict=st.booleans(),
        role=st.sampled_from(["stranger", "stranger", "stranger", "spy", "discuss", "discuss"]),
        language=st.sampled_from(["en", "en", "en", "de", "*"]),
        video=st.sampled_from([False, False, False, True]),
        college=st.sampled_from([None, None, None, "any", "same"]),
        share=st.booleans(),
    )
    def finds(self, who: int, likes: list[str], role: str, college: str | None, share: bool, **terms: Any) -> None:
        frame: dict[str, Any] = {"type": "find", "interests": likes, "role": role, **terms}
        if role != "stranger":
            frame |= {"question": "Why is it so at all?", "share": share, "video": False}
        elif college is not None:
            frame |= {"college": college, "proof": "example.edu"}
        person = self.here(who)
        if person is not None:
            person.hear()
            person.chat = None
            self._frame(person, **frame)

    @rule(who=st.lists(WHO, min_size=1, max_size=4), three=st.booleans())
    def look_for_anybody(self, who: list[int], three: bool) -> None:
        """Of three the first asks."""
        roles = [{"role": "spy", "question": "Why is it so at all?"}] + [{"role": "discuss"}] * 3 if three else [{}] * 4
        for place, role in zip(who, roles, strict=False):
            person = self.here(place)
            if person is not None and person.chat is None:
                self._frame(person, type="find", **role)

    @rule(who=WHO)
    def leaves(self, who: int) -> None:
        person = self.here(who)
        if person is not None:
            person.hear()
            person.chat = None
            self._frame(person, type="leave")

    @rule(who=WHO, kind=st.sampled_from(["report", "block"]))
    def has_enough(self, who: int, kind: str) -> None:
        person = self.here(who)
        if person is not None:
            self._frame(person, type=kind, **({"reason": "spam"} if kind == "report" else {}))

    @rule(who=WHO)
    def says(self, who: int) -> None:
        person = self.here(who)
        if person is not None and person.chat is not None and person.role != "spy":
            seat = person.wire.session.seat
            assert seat is not None
            self.host.world(person.wire).say(person.wire, f"{person.chat} {seat.chat.ring.last + 1}")
            self._pass()

    @rule(who=WHO, how=st.sampled_from([DROPPED, DROPPED, DROPPED, LEFT]))
    def is_lost(self, who: int, how: int) -> None:
        person = self.person(who)
        if person is None or not person.here:
            return
        person.hear()
        person.token = str(person.wire.session.key)
        if self.host.is_on_the_way(person.wire):
            person.wire.closed = 1006
            return
        self.host.world(person.wire).lose(person.wire, how)
        if how == LEFT:
            self.all.remove(person)
        self._pass()

    @rule(who=WHO, where=WHERE)
    def comes_back(self, who: int, where: int) -> None:
        person = self.person(who)
        if person is None or person.here or self.host.is_on_the_way(person.wire) or not self.host.workers:
            return
        living = self.host.workers
        owner = self.host.owner(int(person.token)) or living.get(self.host.number(where)) or next(iter(living.values()))
        before = person.chat
        asked = {} if before is None else {"chat": before}
        person.wire = owner.resume(person.wire, person.last, person.token, **asked)
        got = person.wire.got
        if got and got[0]["type"] == "error":
            person.chat = person.last_chat = None
        person.token = str(person.wire.session.key)
        self._pass()

    @rule(who=WHO, to=WHERE)
    def is_moved(self, who: int, to: int) -> None:
        """As where a worker is restarted."""
        person, to = self.person(who), self.host.number(to)
        home = None if person is None else self.host.owner(int(person.wire.session.key))
        if person is None or home is None or home.number == to or to not in self.host.workers:
            return
        client = person.wire.session.id
        if home.engine.sessions[client].state in (IDLE, WAITING):
            home.go(client, to, None)
            self._pass()

    # what passes, and what dies

    @rule(queues=st.sets(st.sampled_from(QUEUES)))
    def hold(self, queues: set[str]) -> None:
        self.host.held = lambda queue: queue in queues
        self._pass()

    @rule(steps=st.lists(st.tuples(st.sampled_from(QUEUES), WHERE), min_size=1, max_size=8))
    def some_of_it_passes(self, steps: list[tuple[str, int]]) -> None:
        """What the hub hears from a worker, a worker from the hub; or somebody arrives."""
        host = self.host
        for queue, where in steps:
            number = host.number(where)
            if queue == "moves":
                if host.session_records:
                    host.across(where % len(host.session_records))
            elif number in host.workers:
                (host.up if queue == "hub" else host.down)(number)
            self._hear()

    @rule(
        who=WHO,
        to=WHERE,
        steps=st.lists(st.tuples(st.sampled_from(["hub", "hub", "workers", "moves"]), WHERE), min_size=1, max_size=6),
    )
    def looks_and_is_moved(self, who: int, to: int, steps: list[tuple[str, int]]) -> None:
        """What is said of one person by two workers is heard in any order."""
        self.hold(set(QUEUES))
        self.look_for_anybody([who], False)
        self.is_moved(who, to)
        if self.host.session_records:
            self.host.across(len(self.host.session_records) - 1)
        self.some_of_it_passes(steps)

    @rule(who=st.sampled_from(["hub", "hub", 0, 1, 2]), again=st.booleans())
    def a_process_dies(self, who: str | int, again: bool) -> None:
        """`again`: those that died are started."""
        host = self.host
        if who == "hub":
            host.start_hub()
        elif host.number(int(who)) in host.workers:
            host.kill(host.number(int(who)))
        for number in host.dead if again else ():
            host.start_worker(number)
        self._pass()

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 4.0, 16.0, 40.0, 700.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.late |= any(worker.room.rows for worker in self.host.workers.values())
        self.host.wait(seconds)
        self.late |= any(worker.room.rows for worker in self.host.workers.values())
        self._hear()

    @rule()
    def all_settles(self) -> None:
        """Everything passes, and nothing is left half done."""
        host = self.host
        host.held = lambda _: False
        host.settle()
        self._hear()
        assert not host.session_records
        assert host.hub.pending == 0
        self._hub_and_workers_agree()
        self._nobody_waits_beside_a_partner()
        assert not any(worker.room._gatherings for worker in host.workers.values())

    # what always holds

    @invariant()
    def every_session_is_in_one_engine(self) -> None:
        there = [id for worker in self.host.workers.values() for id in worker.engine.sessions]
        there += [session_record[2] for session_record in self.host.session_records]
        assert len(there) == len(set(there))

    @invariant()
    def every_chat_is_in_one_engine_and_has_all_its_ends(self) -> None:
        seats: dict[str, list[tuple[Worker, Session]]] = {}
        for worker in self.host.workers.values():
            for session in worker.engine.sessions.values():
                assert (session.seat is not None) == (session.state in (CHATTING, PARTED))
                assert (session.query is not None) == (session.state == WAITING)
                if session.seat is not None and session.state == CHATTING:
                    seats.setdefault(session.seat.chat.id, []).append((worker, session))
        for ends in seats.values():
            assert len({worker.number for worker, _ in ends}) == 1
            talk = [session for _, session in ends if session.seat is not None and session.seat.side != 2]
            assert len(talk) == 2

    @invariant()
    def clients_and_engines_agree(self) -> None:
        for person in self.all:
            if person.here and not self.host.is_on_the_way(person.wire):
                session = person.wire.session
                assert self.host.world(person.wire).engine.sessions[session.id] is session
                assert person.chat == (None if session.seat is None else session.seat.chat.id)
                assert (person.wire.ring is not None) == (session.state == CHATTING)
                assert session.state in (IDLE, WAITING, CHATTING)

    @invariant()
    def a_worker_holds_a_ticket_of_each_who_waits_and_no_age_shrinks(self) -> None:
        moving = {session_record[2] for session_record in self.host.session_records}
        known, self.since = self.since, {client: found for client, found in self.since.items() if client in moving}
        for worker in self.host.workers.values():
            waits = {session.id for session in worker.engine.sessions.values() if session.state == WAITING}
            assert set(worker.room._held) == waits
            for client, held in worker.room._held.items():
                kind, since = type(held.ticket), held.ticket.since - self.host.delays[client]
                before = known.get(client)
                assert before is None or before[0] is not kind or since <= before[1] + ROUNDING
                self.since[client] = kind, since

    # inner

    def person(self, who: int) -> Person | None:
        """The one of that number, if there are so many."""
        return self.all[who] if who < len(self.all) else None

    def here(self, who: int) -> Person | None:
        """The one of that number, if they are connected and not on the way."""
        person = self.person(who)
        return None if person is None or not person.here or self.host.is_on_the_way(person.wire) else person

    def _frame(self, person: Person, **frame: Any) -> None:
        host = self.host
        person.wire.got += host.world(person.wire).send(person.wire, **frame)
        self._pass()

    def _pass(self) -> None:
        self.host.pump()
        self._hear()

    def _hear(self) -> None:
        for person in self.all:
            if person.here:
                person.hear()

    def _hub_and_workers_agree(self) -> None:
        """Who waits at the hub is who waits, where they are, as old as they are."""
        host, waiters = self.host, self.host.hub._waiters
        held = {client: (worker, one) for worker in host.workers.values() for client, one in worker.room._held.items()}
        assert set(waiters) == set(held) == set(host.hub.room.clients())
        there = {**host.lobby._tickets, **host.lobby._aside}
        spies = host.hub.room.spy_queue
        there |= {**spies._spies, **spies._discuss, **spies._aside}
        for client, (worker, one) in held.items():
            assert (waiters[client].worker, waiters[client].number) == (worker.number, one.number)
            assert one.aside == (not worker.engine.sessions[client].conn)
            assert one.aside == (client in host.lobby._aside or client in spies._aside)
            younger = there[client].since - one.ticket.since
            assert younger > -ROUNDING
            assert younger < ROUNDING or self.late

    def _nobody_waits_beside_a_partner(self) -> None:
        """Two without interests, who want the same and are not to avoid each other."""
        waiting = [ticket for ticket in self.host.lobby._tickets.values() if not ticket.interests]
        for one in waiting:
            for other in waiting:
                if one is not other and one.pool == other.pool and not one.also and not other.also:
                    assert _avoids(one, other) or _avoids(other, one)

    def teardown(self) -> None:
        """Everybody leaves and time goes by: nothing is left."""
        self.all_settles()
        host = self.host
        for person in self.all:
            if person.here:
                host.world(person.wire).lose(person.wire, LEFT)
        host.wait(20 + max(2 * EMPTY_FOR, PAST_FOR))
        assert (len(host.hub), host.hub.pending, host.lobby.interests, host.hub.room.clients()) == (0, 0, 0, [])
        assert host.hub.due() is None
        for worker in host.workers.values():
            assert not worker.engine.sessions
            assert (worker.engine._core.here, worker.engine._core.people) == (0, {})
            assert worker.engine.due() is None
            assert (worker.room._held, worker.room.vocabulary.interests, worker.room.rows) == ({}, 0, [])
        self.all.clear()
        host.wires.clear()
        assert all(worker.rings.counters()["rings"] == 0 for worker in host.workers.values())


def _avoids(one: Ticket, other: Ticket) -> bool:
    return one.person == other.person or other.person in (*one.recent, *one.blocked)


HubHistories.TestCase.settings = settings(max_examples=examples(100), stateful_step_count=40, deadline=None)
TestHubHistories = HubHistories.TestCase
