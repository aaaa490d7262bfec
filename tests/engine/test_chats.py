"""What happens in a chat."""

import pytest

from engine.chats import own_words
from engine.matching.lobby import Lobby
from engine.session import Query, Terms
from tests.engine.world import Wire, World, bare, error

TERMS = Terms("en", "stranger", False, False, False, False, None, False)


@pytest.mark.parametrize("typed", [None, "Chess\ntea"])
def test_what_both_like_is_told_in_the_order_of_rarity_and_in_the_own_spelling(typed: str | None) -> None:
    lobby = Lobby()
    query = Query(TERMS, None)
    query.ids = lobby.intern(["Chess", "tea"])
    query.typed = typed
    tea, chess = query.ids[1], query.ids[0]
    assert own_words(query, (tea, chess), lobby) == ["tea", "Chess" if typed else "chess"]


def left_by(wire: Wire) -> list[str]:
    return [frame["by"] for frame in wire.take() if frame["type"] == "left"]


@pytest.mark.parametrize("first", [0, 1])
def test_both_leave_at_once_and_each_side_is_told_at_most_once(first: int) -> None:
    world = World()
    pair = world.pair()
    one, other = pair[first], pair[1 - first]
    world.engine.frame(one.session, b'{"type":"leave"}', world.now)
    world.engine.frame(other.session, b'{"type":"leave"}', world.now)
    world.settle()
    assert left_by(one) == left_by(other) == []


def test_a_message_without_a_chat_is_no_chat_and_names_its_id() -> None:
    world = World()
    a = world.open()
    a.take()
    assert bare(world.send(a, type="message", text="hi", id="7")) == [error("no_chat", of="message", id="7")]


def test_block_gives_a_token_of_the_partner_in_the_chat_and_after_it() -> None:
    world = World(make_avoid=lambda person: (f"t{person}", 1_800_000_000))
    a, b = world.open(identity=7), world.open(identity=8)
    for wire in (a, b):
        world.send(wire, type="find")
    a.take()
    token = {"type": "blocked", "token": "t8", "until": 1_800_000_000}
    assert world.send(a, type="block") == [token]
    assert b.take() == [], "the other is not told"
    world.send(a, type="leave")
    b.take()
    assert world.send(a, type="block", who=3) == [token], "unknown fields are ignored"
    assert world.send(b, type="block") == [{**token, "token": "t7"}]


def test_the_last_chat_is_meant_by_its_name_while_the_next_one_goes_on() -> None:
    world = World(make_avoid=lambda person: (f"t{person}", 5))
    a, b, c = (world.open(identity=number) for number in (7, 8, 9))
    for wire in (a, b):
        world.send(wire, type="find")
    last = next(frame["chat"] for frame in a.take() if frame["type"] == "matched")
    world.send(c, type="find")
    matched = next(frame for frame in world.send(a, type="find") if frame["type"] == "matched")
    named = {"type": "block"}
    assert world.send(a, **named)[0]["token"] == world.send(a, **named, chat=matched["chat"])[0]["token"] == "t9"
    assert world.send(a, **named, chat=last)[0]["token"] == "t8"
    assert bare(world.send(a, **named, chat="another")) == [error("no_chat", of="block")]
    world.now += 601
    assert bare(world.send(a, **named, chat=last)) == [error("no_chat", of="block")]
    assert world.send(a, **named)[0]["token"] == "t9"


def test_of_a_partner_without_a_cookie_the_token_is_for_this_visit() -> None:
    world = World(make_avoid=lambda person: (f"t{person}", 1_800_000_000))
    a, b = world.pair()
    assert world.send(a, type="block") == [{"type": "blocked", "token": f"t{b.session.id}"}]


def test_block_is_refused_without_a_chat_and_to_a_spy() -> None:
    world = World()
    assert error("no_chat", of="block") in bare(world.send(world.open(), type="block"))
    wires = [world.open() for _ in range(3)]
    world.send(wires[0], type="find", role="spy", question="What do you drink?")
    for wire in wires[1:]:
        world.send(wire, type="find", role="discuss")
    assert error("bad_type", of="block") in bare(world.send(wires[0], type="block"))
    wires[1].take()
    assert [frame["type"] for frame in world.send(wires[1], type="block")] == ["blocked"]


def test_block_works_across_resume() -> None:
    world = World(make_avoid=lambda person: (f"t{person}", 5))
    a, b = world.pair()
    world.lose(a)
    back = world.resume(a)
    back.take()
    assert world.send(back, type="block") == [{"type": "blocked", "token": f"t{b.session.id}"}]


def test_reported_says_what_the_server_adds_by_the_reason_of_each_report() -> None:
    world = World(report_facts=lambda _, reason: {"help": [{"name": reason}]} if reason == "danger" else {})
    a, _ = world.pair()
    assert world.send(a, type="report", reason="spam") == [{"type": "reported"}]
    assert world.send(a, type="report", reason="danger") == [{"type": "reported", "help": [{"name": "danger"}]}]
