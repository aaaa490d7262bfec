"""Two people meet, talk and part: what each of them is sent, in order (rules 1 to 4)."""

from typing import Any

import pytest

from engine.core.bus_messages import Ended
from engine.core.states import WAITING
from engine.wire.client_requests import Save
from engine.wire.protocol import BROKEN, CLOSED, DROPPED, FLOOD_RETRY_AFTER, FLOODED, LEFT
from engine.wire.rule_constants import Settings
from tests.engine.world import World, bare, error


def test_the_first_frame_is_hello_and_a_find_without_anybody_waits() -> None:
    world = World()
    a = world.open()
    assert [frame["type"] for frame in a.take()] == ["hello"]
    assert world.send(a, type="find", interests=["chess"]) == [{"type": "waiting", "accepts": "good", "widens": 3.0}]


def test_a_find_without_interests_accepts_anyone_from_the_start() -> None:
    world = World()
    assert world.send(world.open(), type="find")[1:] == [{"type": "waiting", "accepts": "anyone"}]


def test_each_is_told_what_both_like_in_the_own_spelling_and_waiting_is_left_out_for_the_second() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find", interests=["Chess", "tea"])
    got = world.send(b, type="find", interests=["go", "chess"])
    assert [frame["type"] for frame in got] == ["hello", "matched"]
    (matched,) = a.take()
    assert matched == {
        "type": "matched",
        "chat": got[1]["chat"],
        "role": "stranger",
        "common": ["Chess"],
        "language": "en",
        "side": 2,
    }
    assert (got[1]["common"], got[1]["side"]) == (["chess"], 1)


def test_waiting_is_sent_again_at_each_step() -> None:
    world = World()
    a = world.open()
    world.send(a, type="find", interests=["chess"])
    world.wait(3.5)
    assert a.take() == [{"type": "waiting", "accepts": "any", "widens": 7.0}]
    world.wait(7.5)
    assert a.take() == [{"type": "waiting", "accepts": "anyone"}]


def test_leave_tells_the_partner_at_once_and_has_no_answer() -> None:
    world = World()
    a, b = world.pair()
    assert world.send(a, type="leave") == []
    assert b.take() == [{"type": "left", "by": "stranger"}]
    assert a.ring is None
    assert b.ring is None


def test_find_in_a_chat_leaves_it_first() -> None:
    world = World()
    a, b = world.pair()
    assert world.send(a, type="find") == [{"type": "waiting", "accepts": "anyone"}]
    assert b.take() == [{"type": "left", "by": "stranger"}]


def test_find_while_waiting_replaces_the_request_and_keeps_its_age() -> None:
    world = World()
    a = world.open()
    world.send(a, type="find", interests=["chess"])
    world.now += 2.0
    assert world.send(a, type="find", interests=["tea"]) == [{"type": "waiting", "accepts": "good", "widens": 1.0}]


def test_leave_while_waiting_stops_it() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find")
    assert world.send(a, type="leave") == []
    world.send(b, type="find")
    assert b.session.seat is None


def test_leave_without_chat_or_search_is_not_waiting() -> None:
    world = World()
    a = world.open()
    a.take()
    assert bare(world.send(a, type="leave")) == [error("not_waiting", of="leave")]


@pytest.mark.parametrize(
    ("how", "by", "after"),
    [
        (LEFT, "stranger", 0.0),
        (BROKEN, "lost", 0.0),
        (DROPPED, "lost", 15.0),
        (CLOSED, "lost", 5.0),
        (FLOODED, "lost", FLOOD_RETRY_AFTER),
    ],
    ids=["a close without a code", "closed by the server", "a drop", "a page that closed", "a flood"],
)
def test_the_partner_of_a_lost_connection_is_told_in_time(how: int, by: str, after: float) -> None:
    world = World()
    a, b = world.pair()
    world.lose(a, how)
    if after:
        assert b.take() == [{"type": "partner", "state": "away", "within": after}]
        world.wait(after - 0.1)
        assert b.take() == []
        world.wait(0.2)
    assert b.take() == [{"type": "left", "by": by}]


def test_without_grace_a_drop_ends_the_chat_at_once() -> None:
    world = World(Settings(grace=0.0))
    a, b = world.pair()
    world.lose(a)
    assert b.take() == [{"type": "left", "by": "lost"}]
    assert len(world.engine.sessions) == 1


def test_nobody_is_matched_with_a_person_who_is_away() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find")
    world.lose(a)
    world.send(b, type="find")
    assert b.session.seat is None


def test_a_restart_tells_everybody_to_come_back_and_chatters_that_the_chat_is_over() -> None:
    world = World()
    a, b = world.pair()
    c = world.open()
    c.take()
    spread = iter([1.0, 2.0, 3.0])
    world.engine.drain_for_restart(world.now, lambda: next(spread))
    world.settle()
    assert [a.closed, b.closed, c.closed] == [1012, 1012, 1012]
    assert bare(a.take()) == [{"type": "left", "by": "lost"}, error("restart", retry_after=1.0)]
    assert bare(c.take()) == [error("restart", retry_after=3.0)]


def test_a_message_in_another_spelling_arrives_and_is_numbered() -> None:
    world = World()
    a, b = world.pair()
    assert world.raw(a, b'{"text":"h\\u0069","id":"7","type":"message"}') == [{"type": "sent", "id": "7", "seq": 1}]
    assert b.take() == [{"type": "message", "seq": 1, "text": "hi"}]


def test_typing_and_ping_in_another_spelling_work() -> None:
    world = World()
    a, b = world.pair()
    assert world.raw(a, b'{ "type": "typing", "typing": true }') == []
    assert b.take() == [{"type": "typing", "typing": True}]
    assert world.raw(a, b'{ "type": "ping" }') == [{"type": "pong"}]


def test_eleven_finds_at_once_are_too_fast_and_the_limit_can_be_lifted() -> None:
    for limits, answer in ((True, "error"), (False, "waiting")):
        world = World(Settings(limits=limits))
        a = world.open()
        for _ in range(10):
            assert world.send(a, type="find")[-1]["type"] == "waiting"
        last = world.send(a, type="find")[-1]
        assert last["type"] == answer
        if limits:
            assert (last["code"], last["of"], last["retry_after"]) == ("too_fast", "find", 1.0)
            world.now += 1.0
            assert world.send(a, type="find")[-1]["type"] == "waiting"


def test_where_adults_are_asked_for_find_needs_the_word() -> None:
    world = World(Settings(require_adult=True))
    a = world.open()
    assert bare(world.send(a, type="find"))[1:] == [error("adult", of="find")]
    assert world.send(a, type="find", adult=True) == [{"type": "waiting", "accepts": "anyone"}]


def test_languages_do_not_meet_but_the_star_meets_all() -> None:
    world = World()
    a, b, c = world.open(), world.open(), world.open()
    world.send(a, type="find", language="de-AT")
    assert world.send(b, type="find", language="en")[1:] == [{"type": "waiting", "accepts": "anyone", "others": True}]
    got = world.send(c, type="find", language="*")
    assert got[-1]["type"] == "matched"
    assert got[-1]["language"] in ("de", "en")


def language_told(one: dict[str, str], two: dict[str, str]) -> tuple[str, str]:
    """What each of two who meet is told of the other's language."""
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find", **one)
    told = world.send(b, type="find", **two)[-1]["language"]
    return a.take()[-1]["language"], told


def test_of_a_person_of_any_language_the_partner_is_told_what_they_write_where_they_said_it() -> None:
    star = {"language": "*", "writes": "de-AT"}
    assert language_told({"language": "en"}, star) == ("de", "en")
    assert language_told({"language": "*", "writes": "ja"}, star) == ("de", "ja")
    assert language_told({"language": "*"}, star) == ("de", "*")
    assert language_told({"language": "en"}, {"language": "*"}) == ("en", "en")
    assert language_told({"language": "en"}, {"language": "*", "writes": "*"}) == ("en", "en")


def test_what_somebody_writes_changes_nothing_where_they_named_a_language() -> None:
    assert language_told({"language": "en", "writes": "de"}, {"language": "*"}) == ("en", "en")
    assert language_told({"language": "en", "writes": "de"}, {"language": "en"}) == ("en", "en")


def test_what_the_partner_writes_is_told_again_after_a_resume_and_by_who_waits_elsewhere() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find", language="*", writes="ar")
    world.lose(a)
    again = world.resume(a)
    assert world.send(b, type="find", language="*", writes="en")[-1]["language"] == "ar"
    world.lose(again)
    assert world.resume(again).take()[-1]["language"] == "en"


def test_strict_never_takes_anyone() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find", interests=["chess"], strict=True)
    world.send(b, type="find", interests=["tea"])
    world.wait(60)
    assert a.session.seat is None
    assert a.take()[-1] == {"type": "waiting", "accepts": "any"}


def test_text_and_video_do_not_meet_and_one_side_of_a_call_makes_the_offer() -> None:
    world = World(ice_servers=lambda _: [{"urls": "stun:s"}])
    a, b, c = world.open(), world.open(), world.open()
    world.send(a, type="find")
    world.send(b, type="find", mode="video")
    got = world.send(c, type="find", mode="video")[-1]
    assert a.session.seat is None
    assert got["ice"] == [{"urls": "stun:s"}]
    assert sorted([got["offer"], b.take()[-1]["offer"]]) == [False, True]


def test_signals_are_relayed_in_a_call_and_refused_in_a_text_chat() -> None:
    world = World()
    a, b = world.pair(mode="video")
    offer = {"type": "offer", "sdp": "v=0\r\n"}
    assert world.send(a, type="signal", description=offer) == []
    assert world.send(a, type="signal", candidate=None) == []
    assert b.take() == [{"type": "signal", "description": offer}, {"type": "signal", "candidate": None}]
    a, b = world.pair()
    assert bare(world.send(a, type="signal", candidate=None)) == [error("bad_type", of="signal")]


def test_relay_needs_a_turn_server_and_has_the_signals_of_both_sides_scrubbed() -> None:
    world = World()
    a = world.open()
    assert bare(world.send(a, type="find", mode="video", relay=True))[1:] == [error("no_turn", of="find")]
    world = World(Settings(turn=True), scrub=lambda body: None if body.get("candidate") else body)
    a, b = world.open(), world.open()
    world.send(a, type="find", mode="video", relay=True)
    world.send(b, type="find", mode="video")
    a.take()
    world.send(b, type="signal", candidate={"candidate": "candidate:1 1 udp 1 192.0.2.7 9 typ host"})
    world.send(b, type="signal", candidate=None)
    assert a.take() == [{"type": "signal", "candidate": None}]


def test_college_wants_a_proof_and_shows_the_domain_of_the_other() -> None:
    world = World(open_proof=lambda proof, _: proof or None)
    a, b, c = world.open(), world.open(), world.open()
    assert bare(world.send(a, type="find", college="same"))[1:] == [error("no_college", of="find")]
    world.send(a, type="find", college="same", proof="uio.no")
    assert world.send(b, type="find", college="same", proof="ntnu.no")[-1]["type"] == "waiting"
    assert world.send(c, type="find", college="same", proof="uio.no")[-1]["college"] == "uio.no"
    assert world.send(world.open(), type="find", college="any", proof="mit.edu")[-1]["type"] == "waiting"
    assert world.send(world.open(), type="find", college="any", proof="kth.se")[-1]["college"] == "mit.edu"


@pytest.mark.parametrize(
    "find",
    [
        {"interests": ["sailing"]},
        {},
        {"mode": "video"},
        {"college": "any", "proof": "uio.no"},
        {"language": "*"},
        {"role": "discuss"},
    ],
    ids=["topics", "anybody", "video", "college", "any language", "spy mode"],
)
def test_nobody_is_their_own_stranger_however_long_their_tabs_wait(find: dict[str, Any]) -> None:
    world = World(settings=Settings(video=True), open_proof=lambda proof, _: proof or None)
    tabs = [world.open(identity=7) for _ in range(3)]
    if "role" in find:
        world.send(world.open(identity=8), type="find", role="spy", question="Is this a question?")
    for tab in tabs:
        world.send(tab, type="find", **find)
    for _ in range(120):
        world.wait(1.0)
    assert [tab.session.state for tab in tabs] == [WAITING] * 3
    other = world.open(identity=9)
    assert "matched" in [frame["type"] for frame in world.send(other, type="find", **find)]
    assert [tab.session.state for tab in tabs].count(WAITING) == 2


def test_whoever_asks_is_none_of_those_who_discuss_it() -> None:
    world = World()
    spy, tab, one, two = (world.open(identity=number) for number in (7, 7, 8, 9))
    world.send(spy, type="find", role="spy", question="Is this a question?")
    for wire in (tab, one):
        world.send(wire, type="find", role="discuss")
    assert spy.session.state == WAITING
    world.send(two, type="find", role="discuss")
    assert [wire.session.state == WAITING for wire in (spy, tab, one, two)] == [False, True, False, False]


def test_people_without_an_identity_meet_also_from_one_address() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find")
    assert world.send(b, type="find")[-1]["type"] == "matched"


def test_save_without_a_store_is_not_saved_and_without_a_chat_no_chat() -> None:
    world = World()
    a, _ = world.pair()
    assert bare(world.send(a, type="save")) == [error("not_saved", of="save")]
    assert bare(world.send(world.open(), type="save"))[1:] == [error("no_chat", of="save")]


def test_the_store_is_asked_to_save_the_present_or_the_last_chat_for_ten_minutes() -> None:
    world = World(keeps=True)
    a, b = world.pair()
    world.send(a, type="leave")
    assert world.send(b, type="save") == [{"type": "left", "by": "stranger"}]
    assert [type(what) for _, _, what in world.kept] == [Ended, Save]
    world.engine.saved(b.session, "/s/1", "/d/1")
    world.settle()
    assert b.take() == [{"type": "saved", "url": "/s/1", "delete": "/d/1"}]
    world.now += 601
    assert bare(world.send(b, type="save")) == [error("no_chat", of="save")]


def test_a_chat_leaves_one_record_with_both_people_however_it_ends() -> None:
    for by, end in (
        ("stranger", lambda world, a: world.send(a, type="leave")),
        ("restart", lambda world, a: (world.engine.drain_for_restart(world.now, lambda: 1.0), world.settle())),
    ):
        world = World(keeps=True)
        a, b = world.pair()
        end(world, a)
        if b.session.conn:
            world.send(b, type="leave")
        [(_, seat, message)] = world.kept
        assert (type(message), message.by) == (Ended, by)
        assert [person[0] for person in seat.chat.people] == [0, 1]
        assert {person[2] for person in seat.chat.people} == {a.session.address, b.session.address}


def test_without_a_store_no_chat_knows_who_was_in_it() -> None:
    world = World()
    a, _ = world.pair()
    assert a.session.seat.chat.people == ()


def test_a_report_is_answered_counted_once_and_keeps_the_two_apart_for_a_day() -> None:
    world = World(Settings(limits=False))
    a, b = world.pair()
    for _ in range(2):
        assert world.send(a, type="report", reason="spam") == [{"type": "reported"}]
    assert world.engine.tally["report spam"] == 1
    world.send(a, type="leave")
    world.send(a, type="find")
    world.send(b, type="find")
    world.wait(3600)
    assert a.session.seat is None
    world.now += 86_400
    world.send(a, type="find")
    world.send(b, type="find")
    assert a.session.seat is not None
