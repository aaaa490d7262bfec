"""What happens in a chat."""

import orjson
import pytest

from engine.chats.chat_lifecycle import own_words
from engine.core.session import Query, Session
from engine.engine import SessionRecord
from engine.matching.lobby import Lobby
from engine.matching.search_criteria import Terms
from engine.migrate.record_fields import bare as bared
from engine.migrate.record_fields import write_last
from engine.wire.client_requests import Save
from engine.wire.protocol import SAVES_MOST
from tests.engine.moving import MovingWorld
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


# ---- saves, each of which has one answer

SAVED = {"type": "saved", "url": "/log/1", "delete": "/log/delete/2"}


def saving(world: World) -> tuple[Wire, Wire]:
    """Two who talk, of whom the first has asked for the log."""
    a, b = world.pair()
    assert world.send(a, type="save") == []
    return a, b


def test_a_save_has_one_answer_however_often_the_store_says_it() -> None:
    world = World(keeps=True)
    a, _ = saving(world)
    for _ in range(2):
        world.engine.saved(a.session, SAVED["url"], SAVED["delete"])
    assert a.take() == [SAVED]
    assert a.session.saves == ()


@pytest.mark.parametrize("talks", [True, False])
def test_who_is_away_when_a_save_is_answered_hears_it_when_they_are_back(talks: bool) -> None:
    world = World(keeps=True)
    a, b = saving(world)
    if not talks:
        world.send(b, type="leave")
    world.lose(a)
    world.engine.saved(a.session, SAVED["url"], SAVED["delete"])
    back = world.resume(a)
    heard = [frame["type"] for frame in back.take()]
    assert heard == ["resumed", "saved"]
    again = world.resume(back)
    assert "saved" not in [frame["type"] for frame in again.take()]


def test_who_was_away_for_a_moment_hears_of_a_save_that_is_under_way_still() -> None:
    world = World(keeps=True)
    a, _ = saving(world)
    world.lose(a)
    back = world.resume(a)
    back.take()
    world.engine.saved(back.session, None, "", 2.5, back.session.saves[0][0])
    assert bare(back.take()) == [error("too_fast", of="save", retry_after=3)]


def test_saves_that_nobody_answers_are_bounded() -> None:
    world = World(keeps=True)
    a, _ = world.pair()
    answers = [bare(world.send(a, type="save")) for _ in range(SAVES_MOST + 1)]
    assert answers == [[]] * SAVES_MOST + [[error("not_saved", of="save")]]


def test_who_comes_with_a_save_from_elsewhere_has_it_asked_for_here_where_the_chat_came_along() -> None:
    world = MovingWorld(keeps=True)
    a, b = saving(world)
    world.send(b, type="leave")
    (one,) = world.take(world.release(a.session.id))
    one.saves += (("f" * 16, b""), ("e" * 16, b"told when they are back"))
    world.kept.clear()
    world.engine.save_again(one)
    ((session, seat, what),) = world.kept
    assert one.past is not None
    assert (session, seat, what) == (one, one.past, Save(one.past.chat.id))
    assert bare(a.take())[-1:] == [error("not_saved", of="save")]
    assert [chat for chat, _ in one.saves] == [one.past.chat.id, "e" * 16]


def test_what_is_known_of_the_last_chat_has_no_word_of_it_and_is_enough_to_report() -> None:
    world = MovingWorld(keeps=True, make_avoid=lambda person: (f"t{person}", 1_800_000_000))
    a, b = world.open(identity=7), world.open(identity=8)
    for wire in (a, b):
        world.send(wire, type="find", interests=["tea"])
    world.say(b, "buy gold")
    world.send(a, type="save")
    last = orjson.loads(orjson.dumps(write_last(a.session, world.now)))
    assert "gold" not in str(last)
    assert [chat for chat, _ in last["saves"]] == [last["past"]["chat"]]
    assert write_last(world.open().session, world.now) == {"saves": []}
    assert bared({"id": 1}, []) == bared({"past": {"chat": "x"}}, []) == {}
    record = world.release(a.session.id, b.session.id)
    (person,) = [one for one in record.record["people"] if one["id"] == a.session.id]
    for name in ("seat", "state"):
        del person[name]
    (one,) = world.take(
        SessionRecord({"v": 1, "people": [{**person, "past": last["past"]}], "chats": last["chats"]}, record.blobs)
    )
    assert transcript_of(one) == []
    a.take()
    assert world.send(a, type="report", reason="spam")[0]["type"] == "reported"
    assert world.send(a, type="block")[0]["token"] == "t8"


def transcript_of(session: Session) -> list[object]:
    """The lines of the last chat."""
    assert session.past is not None
    return list(session.past.chat.ring.lines())
