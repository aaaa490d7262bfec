"""Coming back: what a dropped connection costs, and what it does not (rules 4 and 5)."""

import pytest

from engine.wire.client_requests import Save
from engine.wire.protocol import BROKEN, CLOSED, LEFT, PAST_FOR
from engine.wire.rule_constants import Settings
from tests.engine.world import Wire, World, bare, error


def texts(wire: Wire) -> list[tuple[int, str]]:
    """The messages in the in-tray, taken out."""
    return [(frame["seq"], frame["text"]) for frame in wire.take() if frame["type"] == "message"]


def test_the_partner_hears_away_and_back_and_the_chat_goes_on() -> None:
    world = World()
    a, b = world.pair()
    world.lose(a)
    assert b.take() == [{"type": "partner", "state": "away", "within": 15.0}]
    world.now += 5
    again = world.resume(a)
    assert b.take() == [{"type": "partner", "state": "back"}]
    world.say(again, "here")
    world.say(b, "good")
    assert texts(b) == [(1, "here")]
    assert texts(again) == [(2, "good")]


def test_a_page_that_closed_is_waited_for_shortly_and_one_that_is_loaded_again_is_back_in_time() -> None:
    world = World()
    a, b = world.pair()
    world.lose(a, CLOSED)
    assert b.take() == [{"type": "partner", "state": "away", "within": 5.0}]
    world.wait(4)
    again = world.resume(a)
    assert b.take() == [{"type": "partner", "state": "back"}]
    world.lose(again, CLOSED)
    b.take()
    world.wait(5.1)
    assert b.take() == [{"type": "left", "by": "lost"}]


def test_a_shorter_grace_of_the_deployment_holds_for_a_closed_page_too() -> None:
    world = World(Settings(grace=2.0))
    a, b = world.pair()
    world.lose(a, CLOSED)
    assert b.take() == [{"type": "partner", "state": "away", "within": 2.0}]


def test_resumed_has_all_of_matched_and_what_was_missed_follows_once_and_in_order() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find", interests=["chess"])
    world.send(b, type="find", interests=["Chess"])
    matched = a.take()[-1]
    world.say(a, "one")
    world.say(b, "two")
    world.lose(a)
    world.say(b, "three")
    world.say(b, "four")
    again = world.resume(a, last=2)
    assert again.take() == [
        {**matched, "type": "resumed", "seq": 4, "taken": 1, "missed": 2},
        {"type": "message", "seq": 3, "text": "three"},
        {"type": "message", "seq": 4, "text": "four"},
    ]


@pytest.mark.parametrize(("chat", "missed"), [(None, [2]), ("c001", [2]), ("another", [1, 2])])
def test_last_counts_for_the_chat_that_it_is_of(chat: str | None, missed: list[int]) -> None:
    world = World()
    a, b = world.pair()
    world.say(b, "one")
    world.lose(a)
    world.say(b, "two")
    again = world.resume(a, last=1, **({} if chat is None else {"chat": chat}))
    assert [number for number, _ in texts(again)] == missed


def test_refused_messages_count_as_taken_and_are_named() -> None:
    world = World()
    a, _ = world.pair()
    world.say(a, "one")
    for bad in (b'{"type":"message","text":""}', b'{"type":"message","text":"\\ud800"}', b'{"type":"message"}'):
        assert bare(world.raw(a, bad))[0]["of"] == "message"
    world.raw(a, b'{"type":"nonsense"}')
    world.say(a, "two")
    world.lose(a)
    resumed = world.resume(a).take()[0]
    assert (resumed["taken"], resumed["refused"], resumed["seq"]) == (5, [2, 3, 4], 2)


def test_both_away_at_once_come_back_into_the_same_chat() -> None:
    world = World()
    a, b = world.pair()
    world.say(a, "one")
    world.lose(a)
    world.lose(b)
    world.now += 4
    a2 = world.resume(a, last=1)
    assert [frame["type"] for frame in a2.take()] == ["resumed", "partner"]
    world.say(a2, "two")
    b2 = world.resume(b, last=1)
    assert texts(b2) == [(2, "two")]
    assert a2.take() == [{"type": "partner", "state": "back"}]


def test_who_comes_back_while_the_other_is_away_hears_for_how_long() -> None:
    world = World()
    a, b = world.pair()
    world.lose(a)
    world.now += 4
    world.lose(b)
    world.now += 1
    again = world.resume(a)
    assert again.take()[-1] == {"type": "partner", "state": "away", "within": 14.0}


def test_left_while_away_comes_behind_what_was_missed() -> None:
    world = World()
    a, b = world.pair()
    world.lose(a)
    world.say(b, "bye")
    world.send(b, type="leave")
    again = world.resume(a)
    got = again.take()
    assert [frame["type"] for frame in got] == ["resumed", "message", "left"]
    assert got[-1]["by"] == "stranger"
    assert again.ring is None
    assert world.send(again, type="find")[0]["type"] == "waiting"


def test_an_end_that_was_told_into_a_dead_connection_is_told_again_behind_what_was_missed() -> None:
    world = World()
    a, b = world.pair()
    world.say(b, "heard")
    a.take()
    world.say(b, "not heard")
    world.send(b, type="leave")  # the server does not know yet that a's connection is dead
    world.lose(a)
    again = world.resume(a, last=1, chat="c001")
    resumed, *rest = again.take()
    assert (resumed["chat"], resumed["seq"], resumed["missed"]) == ("c001", 2, 1)
    assert rest == [{"type": "message", "seq": 2, "text": "not heard"}, {"type": "left", "by": "stranger"}]
    assert bare(world.send(again, type="message", text="still there?", id="1")) == [
        error("no_chat", of="message", id="1")
    ]
    assert world.send(again, type="find")[0]["type"] == "waiting"


def test_an_end_that_was_told_is_not_told_to_a_client_that_is_in_no_chat_or_searches() -> None:
    world = World()
    a, b = world.pair()
    world.send(b, type="leave")
    world.lose(a)
    again = world.resume(a)
    assert [frame["chat"] for frame in again.take()] == [None]
    world.send(again, type="find")
    world.lose(again)
    assert [frame["type"] for frame in world.resume(again, chat="c001").take()] == ["resumed", "waiting"]


def test_both_away_and_one_grace_past_is_lost_for_the_other() -> None:
    world = World()
    a, b = world.pair()
    world.lose(a)
    world.wait(10)
    world.lose(b)
    world.wait(6)
    assert [frame["type"] for frame in world.resume(b).take()] == ["resumed", "left"]


def test_after_the_grace_the_session_is_gone_and_the_connection_goes_on_as_new() -> None:
    world = World()
    a, _ = world.pair()
    world.lose(a)
    world.wait(15.1)
    again = world.resume(a)
    assert bare(again.take()) == [error("no_session", of="resume")]
    assert world.send(again, type="find")[0]["type"] == "waiting"


def test_a_waiting_ticket_keeps_its_age_while_its_owner_is_away() -> None:
    world = World()
    a = world.open()
    world.send(a, type="find", interests=["chess"])
    world.lose(a)
    world.now += 2
    again = world.resume(a)
    assert again.take() == [
        {"type": "resumed", "chat": None, "seq": 0, "taken": 0, "missed": 0},
        {"type": "waiting", "accepts": "good", "widens": 1.0},
    ]


def test_who_comes_back_to_waiting_may_be_matched_at_once() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find")
    world.lose(a)
    world.send(b, type="find")
    again = world.resume(a)
    assert [frame["type"] for frame in again.take()] == ["resumed", "matched"]
    assert b.take()[-1]["type"] == "matched"


def test_an_idle_session_comes_back_too_and_can_still_save() -> None:
    world = World(keeps=True)
    a, _ = world.pair()
    world.send(a, type="leave")
    world.lose(a)
    again = world.resume(a)
    assert again.take() == [{"type": "resumed", "chat": None, "seq": 0, "taken": 0, "missed": 0}]
    world.send(again, type="save")
    assert type(world.kept[-1][2]) is Save


def test_a_used_token_is_good_until_the_first_frame_after_resumed_and_then_not() -> None:
    world = World()
    a, b = world.pair()
    first = str(a.session.key)
    world.lose(a)
    lost_on_the_way = world.resume(a, token=first)
    world.lose(lost_on_the_way)
    again = world.resume(a, token=first)
    assert again.take()[0]["type"] == "resumed"
    world.say(again, "confirmed")
    world.lose(again)
    late = world.resume(a, token=first)
    assert bare(late.take()) == [error("no_session", of="resume")]
    assert world.resume(again).take()[0]["type"] == "resumed"
    assert texts(b) == [(1, "confirmed")]


def test_the_token_of_the_new_hello_is_good_before_the_confirmation_too() -> None:
    world = World()
    a, _ = world.pair()
    world.lose(a)
    second = world.resume(a)
    world.lose(second)
    assert world.resume(second).take()[0]["type"] == "resumed"


def test_two_connections_resume_one_session_and_one_wins() -> None:
    world = World()
    a, b = world.pair()
    token = str(a.session.key)
    world.lose(a)
    one = world.resume(a, token=token)
    two = world.resume(a, token=token)
    assert one.closed == 4009
    assert bare(one.take())[-1] == error("replaced")
    assert two.take()[0]["type"] == "resumed"
    world.engine.lost(one.session, one.conn, BROKEN, world.now)
    world.settle()
    world.say(two, "still here")
    assert texts(b) == [(1, "still here")]


def test_a_resume_replaces_a_connection_that_still_seems_alive() -> None:
    world = World()
    a, b = world.pair()
    again = world.resume(a)
    assert a.closed == 4009
    assert [frame["type"] for frame in b.take()] == ["partner"]
    world.say(b, "hello")
    assert texts(again) == [(1, "hello")]


def test_a_loss_told_with_the_forgotten_session_of_an_adopted_connection_counts() -> None:
    world = World()
    a, b = world.pair()
    world.lose(a)
    again = world.open()
    fresh = again.session
    world.engine.frame(fresh, b'{"type":"resume","token":"%d","last":0}' % a.session.key, world.now)
    world.settle()
    b.take()
    del world.wires[again.conn]
    world.engine.lost(fresh, again.conn, LEFT, world.now)
    world.settle()
    assert b.take() == [{"type": "left", "by": "stranger"}]


@pytest.mark.parametrize("token", ["forged", "77"], ids=["a forged token", "a token of nobody"])
def test_a_token_that_opens_nothing_is_no_session(token: str) -> None:
    world = World()
    a, _ = world.pair()
    world.lose(a)
    again = world.resume(a, token=token)
    assert bare(again.take()) == [error("no_session", of="resume")]


def test_the_token_of_the_own_hello_is_no_session() -> None:
    world = World()
    a = world.open()
    a.take()
    assert bare(world.send(a, type="resume", token=str(a.session.key), last=0)) == [error("no_session", of="resume")]


def test_a_token_bound_to_another_cookie_is_no_session() -> None:
    bound = {"500001": 9}
    world = World(open_token=lambda token, session: int(token) if bound[token] == session.identity else None)
    a = world.open(identity=9)
    world.lose(a)
    assert bare(world.resume(a, identity=8).take()) == [error("no_session", of="resume")]
    assert world.resume(a, identity=9).take()[0]["type"] == "resumed"


def test_resume_that_is_not_the_first_frame_is_bad_type_and_all_goes_on() -> None:
    world = World()
    a, _b = world.pair()
    world.lose(a)
    other = world.open()
    assert world.send(other, type="find")[-1]["type"] == "waiting"
    assert bare(world.send(other, type="resume", token=str(a.session.key), last=0)) == [error("bad_type", of="resume")]
    assert world.send(other, type="leave") == []


def test_what_the_ring_holds_no_more_ends_the_chat_as_lost_for_both() -> None:
    world = World(budget=2048)
    a, b = world.pair()
    world.lose(a)
    for number in range(40):
        world.say(b, f"{number:0100d}")
    b.take()
    again = world.resume(a, chat="c001")
    got = again.take()
    assert [frame["type"] for frame in got] == ["resumed", "left"]
    assert got[0]["missed"] == 0
    assert got[1]["by"] == "lost"
    assert b.take() == [{"type": "left", "by": "lost"}]


def test_a_long_chat_that_was_left_without_a_connection_is_left_for_the_partner_too() -> None:
    world = World(budget=2048)
    a, b = world.pair()
    for number in range(40):
        world.say(b, f"{number:0100d}")
    world.lose(a)
    b.take()
    again = world.resume(a)  # as the clients do who left it meanwhile: without the chat
    assert [(frame["type"], frame.get("by")) for frame in again.take()] == [("resumed", None), ("left", "lost")]
    assert b.take() == [{"type": "left", "by": "stranger"}]


def test_what_the_ring_holds_no_more_of_a_chat_that_ended_is_lost() -> None:
    world = World(budget=2048)
    a, b = world.pair()
    world.lose(a)
    for number in range(40):
        world.say(b, f"{number:0100d}")
    world.send(b, type="leave")
    assert [(frame["type"], frame.get("by")) for frame in world.resume(a).take()] == [
        ("resumed", None),
        ("left", "lost"),
    ]


def test_a_last_beyond_the_chats_own_last_misses_nothing() -> None:
    world = World()
    a, b = world.pair()
    world.say(b, "one")
    world.lose(a)
    assert world.resume(a, last=10**12).take()[0]["missed"] == 0


def test_who_heard_more_of_a_chat_than_is_known_of_it_here_has_lost_it_with_the_partner() -> None:
    world = World()
    a, b = world.pair()
    chat = a.session.seat.chat.id
    world.say(b, "one")
    world.lose(a)
    b.take()
    got = world.resume(a, last=2, chat=chat).take()
    assert [(frame["type"], frame.get("by")) for frame in got] == [("resumed", None), ("left", "lost")]
    assert b.take() == [{"type": "left", "by": "lost"}]


def test_a_clock_that_steps_back_keeps_who_is_away() -> None:
    world = World()
    a, b = world.pair()
    world.lose(a)
    world.now -= 1000
    world.engine.tick(world.now)
    world.settle()
    assert world.resume(a).take()[0]["type"] == "resumed"
    assert b.take()[-1] == {"type": "partner", "state": "back"}


def test_a_clock_that_jumps_ahead_ends_the_grace_and_nothing_else() -> None:
    world = World()
    a, b = world.pair()
    c = world.open()
    world.lose(a)
    b.take()
    world.wait(1e6)
    assert b.take() == [{"type": "left", "by": "lost"}]
    assert world.send(c, type="find")[-1]["type"] == "waiting"


def test_a_person_may_drop_and_come_back_again_and_again() -> None:
    world = World()
    a, b = world.pair()
    sent, seen = 0, 0
    for _ in range(50):
        world.lose(a)
        for _ in range(3):
            sent += 1
            world.say(b, f"{sent}")
        a = world.resume(a, last=seen)
        got = texts(a)
        assert [text for _, text in got] == [f"{number}" for number in range(seen + 1, sent + 1)]
        seen = sent
        if sent % 2:
            world.raw(a, b'{ "type":"ping"}')
    assert len(world.engine._core.aliases) <= 2
    assert len(world.engine.sessions) == 2


def test_without_grace_there_is_nothing_to_come_back_to() -> None:
    world = World(Settings(grace=0.0))
    a, _ = world.pair()
    world.lose(a)
    assert bare(world.resume(a).take()) == [error("no_session", of="resume")]


def ended(world: World, *wires: Wire) -> None:
    """The first one ends a chat in which both wrote; what the store is given is not held here."""
    world.say(wires[0], "mine")
    world.say(wires[1], "yours")
    world.send(wires[0], type="leave")
    world.kept.clear()
    for wire in wires:
        wire.take()


def test_the_lines_of_an_ended_chat_are_cleared_after_ten_minutes_whatever_the_two_do_since() -> None:
    world = World(keeps=True)
    a, b = world.pair()
    ended(world, a, b)
    c = world.open()
    world.send(a, type="find")
    world.send(c, type="find")
    assert a.session.seat is not None, "one is in the next chat, the other idle"
    world.wait(PAST_FOR - 1)
    assert world.rings.counters()["rings"] == 2
    assert world.send(b, type="report", reason="spam")[0]["type"] == "reported"
    world.kept.clear()
    world.wait(1)
    assert (a.session.past, b.session.past) == (None, None)
    assert (world.rings.counters()["rings"], world.rings.counters()["used"]) == (1, 0), (
        "the running one, without a line"
    )
    for request in ("save", "report", "block", "again"):
        more = {"reason": "spam"} if request == "report" else {}
        assert bare(world.send(b, type=request, **more)) == [error("no_chat", of=request)]


def test_a_side_that_learns_of_the_end_later_has_its_ten_minutes_too() -> None:
    world = World()
    a, b = world.pair()
    world.lose(b)
    world.say(a, "bye")
    world.send(a, type="leave")
    world.wait(10)
    back = world.resume(b)
    world.wait(PAST_FOR - 10)
    assert (a.session.past, back.session.past is None) == (None, False)
    world.wait(10)
    assert (back.session.past, world.rings.counters()["rings"]) == (None, 0)


def test_a_spy_keeps_a_chat_no_longer_than_those_in_it() -> None:
    world = World()
    spy, a, b = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question="Tea or coffee?")
    world.send(a, type="find", role="discuss")
    world.send(b, type="find", role="discuss")
    ended(world, a, b, spy)
    assert spy.session.past is not None
    world.wait(PAST_FOR)
    assert (spy.session.past, world.rings.counters()["rings"]) == (None, 0)


def test_an_ended_chat_is_replayed_for_ten_minutes_and_not_after() -> None:
    world = World()
    a, b = world.pair()
    assert b.session.seat is not None
    chat = b.session.seat.chat.id
    ended(world, a, b)
    world.wait(PAST_FOR - 1)
    world.lose(b)
    b = world.resume(b, 0, chat=chat)
    assert [frame["type"] for frame in b.take()] == ["resumed", "message", "left"]
    world.lose(b)
    world.wait(1)
    b = world.resume(b, 0, chat=chat)
    assert [frame["type"] for frame in b.take()] == ["resumed"]
