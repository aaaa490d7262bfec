"""Sessions move to another process and nobody is told: every history of `test_histories` again, with moves between any two events."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from engine.core.chat import Chat
from engine.core.states import CHATTING, GONE, IDLE, WAITING
from engine.engine import SessionRecord
from engine.wire.protocol import LEFT, PAST_FOR
from engine.wire.rule_constants import Settings
from tests.engine.moving import MovingWorld, ShadowedWorld
from tests.engine.test_histories import WHO, Histories
from tests.engine.world import CountingLobby, Wire
from tests.support.groups import examples


class MovedHistories(Histories):
    """The same people, rules and checks; what everybody gets is compared with what they get where they are moved."""

    def __init__(self) -> None:
        super().__init__()
        self.world = self.shadowed = ShadowedWorld(Settings(limits=False), keeps=True)

    @initialize(pace=st.sampled_from([1, 1, 2, 5]))
    def begin_moving(self, pace: int) -> None:
        self.shadowed.pace = pace

    @rule(
        who=WHO,
        likes=st.lists(st.sampled_from(["chess", " Tea", "go"]), max_size=1),
        strict=st.booleans(),
        role=st.sampled_from(["stranger", "stranger", "stranger", "spy", "discuss"]),
        language=st.sampled_from(["en", "en", "de", "*"]),
    )
    def finds(self, who: int, likes: list[str], strict: bool, role: str, language: str) -> None:
        """One interest at most: how rare each is the other process learns anew, so of several another may weigh most there."""
        super().finds(who, likes, strict, role, language)

    @invariant()
    def the_moved_are_as_sound_as_the_others(self) -> None:
        self.world = self.shadowed.shadow
        self.every_chat_is_mutual_and_nobody_is_in_two()
        self.the_lobby_holds_the_waiting_and_nobody_else()
        self.world = self.shadowed


# The same histories each time: of two partners who are as good for somebody the matcher may name another one after a move, which is
# no fault, and some random history in a thousand has such a choice.
MovedHistories.TestCase.settings = settings(
    max_examples=examples(100), stateful_step_count=40, deadline=None, derandomize=True, database=None
)
TestMovedHistories = MovedHistories.TestCase


def nothing(world: MovingWorld, *wires: Wire) -> bool:
    """Whether nobody was told anything."""
    return all(wire.take() == [] for wire in wires)


def chat_of(wire: Wire) -> Chat:
    """The chat that they are in, or were in last."""
    seat = wire.session.seat or wire.session.past
    assert seat is not None
    return seat.chat


def apart(world: MovingWorld, *wires: Wire) -> SessionRecord:
    """Those leave this engine; the world goes on with another one."""
    session_record = world.release(*[wire.session.id for wire in wires])
    world.restart()
    return session_record


def test_an_idle_person_moves_and_only_the_token_shows_it_is_the_same() -> None:
    world = MovingWorld()
    a = world.open(identity=7)
    a.take()
    before = a.session
    world.move()
    assert before.state == GONE
    assert (a.session.state, a.session.id, a.session.identity) == (IDLE, before.id, 7)
    assert world.engine.moves.find(before.key) == before.id
    assert world.engine.moves.find(1) is None
    assert (world.engine.online, nothing(world, a)) == (1, True)
    assert world.send(a, type="ping") == [{"type": "pong"}]


def test_a_chat_goes_on_with_its_numbers_and_nobody_is_told() -> None:
    world = MovingWorld(keeps=True)
    a, b = world.pair()
    world.say(a, "one")
    b.take()
    chat = chat_of(a)
    before = chat.id, chat.began, chat.people
    del chat
    world.now += 5
    assert world.engine.moves.group(a.session.id) == (b.session.id, a.session.id), "by side: who asked last first"
    world.move()
    assert nothing(world, a, b)
    world.say(b, "two")
    assert a.take() == [{"type": "message", "seq": 2, "text": "two"}]
    moved = chat_of(a)
    assert ((moved.id, moved.began, moved.people), moved.ring.last) == (before, 2)
    del moved
    world.send(a, type="leave")
    assert b.take() == [{"type": "left", "by": "stranger"}]
    world.kept.clear()
    world.move()
    assert chat_of(a) is chat_of(b)
    assert [line[3] for line in chat_of(b).ring.lines()] == [b"one", b"two"]
    assert world.send(a, type="report", reason="spam")[0]["type"] == "reported"
    world.kept.clear()
    world.now += 601
    world.move()
    assert a.session.past is None


def test_a_move_does_not_lengthen_the_time_of_an_ended_chat() -> None:
    world = MovingWorld()
    a, b = world.pair()
    world.say(a, "one")
    world.send(a, type="leave")
    world.wait(PAST_FOR - 10)
    world.move()
    assert (a.session.past is None, b.session.past is None, world.rings.counters()["rings"]) == (False, False, 1)
    world.wait(10.001)
    assert (a.session.past, b.session.past, world.rings.counters()["rings"]) == (None, None, 0)


def test_a_part_of_a_chat_or_somebody_unknown_leaves_nothing_changed() -> None:
    world = MovingWorld()
    a, b = world.pair()
    with pytest.raises(ValueError, match="together"):
        world.engine.moves.release([a.session.id], {}, world.now)
    with pytest.raises(KeyError):
        world.engine.moves.release([a.session.id, b.session.id, 1], {}, world.now)
    world.say(a, "one")
    assert b.take()[-1]["text"] == "one"


def test_who_is_away_has_what_is_left_of_the_time_and_the_partner_knows_it() -> None:
    world = MovingWorld()
    a, b = world.pair()
    world.say(b, "one")
    world.lose(a)
    world.say(b, "two")
    b.take()
    world.wait(5)
    world.move()
    world.wait(9)
    assert nothing(world, b)
    again = world.resume(a, last=1)
    assert [frame["type"] for frame in again.take()] == ["resumed", "message"]
    assert b.take() == [{"type": "partner", "state": "back"}]
    world.lose(again)
    world.lose(b)
    world.move()
    back = world.resume(b, last=2)
    assert back.take()[-1] == {"type": "partner", "state": "away", "within": 15.0}
    world.move()
    world.wait(15.5)
    assert back.take() == [{"type": "left", "by": "lost"}]


def test_a_connection_that_cannot_be_made_there_is_a_dropped_one() -> None:
    world = MovingWorld()
    a, b = world.pair()
    c = world.open()
    world.send(c, type="find", strict=True, interests=["chess"])
    session_record = apart(world, a, b, c)
    one = a.session.id
    world.take(
        session_record, lambda place, session, *rest: world.connect(place, session, *rest) if session.id != one else 0
    )
    # c's and b's came along, a's did not
    assert b.take() == [{"type": "partner", "state": "away", "within": 15.0}]
    assert world.engine.online == 2
    assert world.resume(a).take()[0]["type"] == "resumed"


def test_who_waits_meets_who_waits_there_and_takes_steps_as_before() -> None:
    world = MovingWorld()
    a = world.open()
    world.send(a, type="find", interests=["Chess", "go"])
    a.take()
    world.wait(2)
    world.move()
    world.wait(0.5)
    assert nothing(world, a)
    world.wait(1)
    assert [frame["accepts"] for frame in a.take()] == ["any"]
    world.move()
    world.wait(5)
    assert nothing(world, a)
    session_record = apart(world, a)
    b = world.open()
    world.send(b, type="find", interests=["chess"])
    b.take()
    world.take(session_record)
    assert [frame["common"] for frame in (*a.take(), *b.take())] == [["Chess"], ["chess"]]
    assert world.engine.measures.waits["text"].total == 8.5


def test_who_waits_and_is_away_is_met_by_nobody_until_back() -> None:
    world = MovingWorld()
    a = world.open()
    world.send(a, type="find")
    world.lose(a)
    world.move()
    b = world.open()
    world.send(b, type="find")
    assert b.session.state == WAITING
    again = world.resume(a)
    assert [frame["type"] for frame in again.take()] == ["resumed", "matched"]
    assert b.session.state == CHATTING


def test_spies_wait_in_the_order_of_their_age_whoever_arrives_first() -> None:
    world = MovingWorld()
    one, two = world.open(), world.open()
    for wire in (one, two):
        world.send(wire, type="find", role="spy", question="Is a hot dog a sandwich?")
        world.now += 1
    first, second = world.release(one.session.id), world.release(two.session.id)
    world.restart()
    world.take(second)
    world.take(first)
    talk = [world.open(), world.open()]
    for wire in talk:
        world.send(wire, type="find", role="discuss")
    assert (one.session.state, two.session.state) == (CHATTING, WAITING)
    assert world.engine.moves.group(talk[0].session.id) == tuple(wire.session.id for wire in (*talk, one))


def test_a_student_of_any_college_is_found_by_one_who_wants_their_own() -> None:
    world = MovingWorld(open_proof=lambda proof, _: "mit.edu")
    a, b = world.open(), world.open()
    world.send(a, type="find", college="any", proof="x")
    world.move()
    world.send(b, type="find", college="same", proof="x")
    assert a.session.state == b.session.state == CHATTING


def test_what_was_not_taken_is_taken_back_with_all_that_it_remembers() -> None:
    world = MovingWorld(keeps=True)
    a, b = world.pair()
    c, d = world.pair()
    world.say(a, "one")
    world.send(a, type="leave")
    for wire in (a, b, c, d):
        wire.take()
    session_records = [
        world.release(a.session.id),
        world.release(b.session.id),
        world.release(c.session.id, d.session.id),
    ]
    assert [len(session_record.record["chats"]) for session_record in session_records] == [1, 0, 1], "once"
    assert world.engine.sessions == {}
    for session_record in reversed(session_records):
        world.take(session_record)
    assert nothing(world, a, b, c, d)
    assert [line[3] for line in chat_of(b).ring.lines()] == [b"one"]
    assert chat_of(a) is chat_of(b)
    world.say(c, "two")
    assert d.take()[0]["text"] == "two"
    world.engine.moves.forget()
    assert len(world.release(b.session.id).record["chats"]) == 1


def test_a_spy_who_left_remembers_the_chat_that_goes_on_without_them() -> None:
    world = MovingWorld(keeps=True)
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question="Is a hot dog a sandwich?")
    for wire in (one, two):
        world.send(wire, type="find", role="discuss")
    world.say(one, "yes")
    world.send(spy, type="leave")
    session_records = [world.release(spy.session.id)]
    world.say(two, "no")
    session_records.append(world.release(one.session.id, two.session.id))
    world.restart()
    for session_record in session_records:
        world.take(session_record)
    world.say(one, "yes")
    assert two.take()[-1]["seq"] == 3
    assert world.send(spy, type="save") == []
    assert world.kept[-1][1].chat.ring.last == 1


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_copy_of_a_spy_who_left_never_takes_the_place_of_the_chat_that_goes_on(most: int) -> None:
    world = MovingWorld(keeps=True)
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question="Is a hot dog a sandwich?")
    world.send(one, type="find", role="discuss")
    world.send(two, type="find", role="discuss")
    world.send(spy, type="leave")
    for number in range(1, 4):
        world.say(one, f"line {number}")
        world.move(most)
        ring = chat_of(two).ring
        assert (ring.last, [line[3] for line in ring.lines()][-1]) == (number, f"line {number}".encode())
        assert "ended" not in ring.dump()[0]
        del ring


def test_an_index_without_room_sends_who_arrives_away_as_it_does_others() -> None:
    world = MovingWorld()
    a = world.open()
    world.send(a, type="find", interests=["chess"], strict=True)
    a.take()
    session_record = world.release(a.session.id)
    world.start(CountingLobby(most_tickets=8))
    others = [world.open() for _ in range(8)]
    for number, wire in enumerate(others):
        world.send(wire, type="find", interests=[f"word {number}"], strict=True)
    world.take(session_record)
    assert a.closed == 1013
    assert a.take()[0]["code"] == "busy"
    assert list(world.engine.sessions) == [wire.session.id for wire in others]
    world.lose(others[0])
    fill = world.open()
    world.send(fill, type="find", interests=["another"], strict=True)
    again = world.resume(others[0])
    assert (again.take()[-1]["code"], again.closed) == ("busy", 1013), "neither has who comes back any room"


def test_a_resume_waits_for_a_session_that_is_on_its_way() -> None:
    asked: list[int] = []
    world = MovingWorld(may_be_migrating=lambda key: asked.append(key) is None and key > 500_000)
    a, b = world.pair()
    world.say(b, "one")
    world.lose(a)
    b.take()
    session_record = world.release(a.session.id, b.session.id)
    key = a.session.key
    world.restart()
    again = world.resume(a)
    assert (again.take(), asked) == ([], [key])
    world.take(session_record)
    world.engine.arrived(key, world.now)
    world.settle()
    assert [frame["type"] for frame in again.take()] == ["resumed", "message"]
    assert b.take() == [{"type": "partner", "state": "back"}]
    never = world.resume(a, token="700000")
    assert never.take() == []
    world.engine.arrived(700_000, world.now)
    world.settle()
    assert [frame["code"] for frame in never.take()] == ["no_session"]
    assert [frame["code"] for frame in world.resume(a, token="3").take()] == ["no_session"]


@pytest.mark.parametrize(
    ("away", "waits"), [(0, 0), (11, 4.9)], ids=["at once", "longer than a session waits for its client"]
)
def test_a_resume_waits_for_a_session_that_is_here_and_may_be_resumed_elsewhere(away: float, waits: float) -> None:
    doubted: set[int] = set()
    world = MovingWorld(may_be_migrating=lambda _: True, is_doubted=lambda id: id in doubted)
    a, b = world.pair()
    world.lose(a)
    b.take()
    world.wait(away)
    doubted.add(a.session.id)
    again = world.resume(a)
    world.wait(waits)
    assert (again.take(), b.take()) == ([], [])
    doubted.clear()
    world.engine.arrived(a.session.key, world.now)
    world.settle()
    assert [frame["type"] for frame in again.take()] == ["resumed"]
    assert b.take() == [{"type": "partner", "state": "back"}]


def test_a_session_ends_if_the_client_that_waited_for_it_is_gone() -> None:
    world = MovingWorld(may_be_migrating=lambda _: True, is_doubted=lambda _: True)
    a, b = world.pair()
    world.lose(a)
    b.take()
    world.wait(11)
    world.lose(world.resume(a))
    world.wait(6)
    assert b.take() == [{"type": "left", "by": "lost"}]


def test_a_resume_that_waits_goes_along_and_one_who_thought_better_of_it_is_told() -> None:
    world = MovingWorld(may_be_migrating=lambda _: True)
    a, c = world.open(), world.open()
    world.lose(a)
    gone = world.release(a.session.id)
    fresh, other = world.resume(a), world.resume(a, token="700000")
    lost = world.resume(a, token="700000")
    world.lose(lost, LEFT)
    world.send(other, type="find")
    session_record = world.release(fresh.session.id)
    world.engine.arrived(700_000, world.now)
    world.settle()
    assert other.take()[-1]["code"] == "no_session"
    world.take(gone)
    world.take(session_record)
    assert fresh.take()[-1]["type"] == "resumed"
    assert fresh.session.id == a.session.id
    assert (world.engine._presence._held, c.closed) == (0, None)


def test_so_many_resumes_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.chats.session_presence.RESUMES_MAX", 2)
    world = MovingWorld(may_be_migrating=lambda _: True)
    a = world.open()
    tokens = ("700000", "700000", "700001")
    one, two, three = (world.resume(a, token=token) for token in tokens)
    assert (one.take(), two.take(), three.take()[-1]["code"]) == ([], [], "no_session")
    world.engine.arrived(700_000, world.now)
    world.settle()
    assert [one.take()[-1]["code"], two.take()[-1]["code"]] == ["no_session", "no_session"]
    assert world.resume(a, token="700001").take() == []


def test_who_waits_without_a_ticket_moves_too_and_has_a_new_one_there() -> None:
    """The invariant is that each has one; were it broken a hand-over would wait for them for ever."""
    world = MovingWorld()
    a, idle = world.open(), world.open()
    world.send(a, type="find", interests=["chess"])
    world.lobby.cancel(a.session.id, world.now)
    assert sorted(world.engine.moves.order()) == sorted([a.session.id, idle.session.id])
    world.move()
    assert (a.session.state, world.engine.room.clients()) == (WAITING, [a.session.id])
    b = world.open()
    world.send(b, type="find", interests=["go"])
    world.wait(20)
    assert a.ring is not None
    assert a.ring is b.ring
