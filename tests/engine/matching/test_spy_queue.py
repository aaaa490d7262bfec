"""Spy mode: two discuss, one watches (product row 3)."""

import pytest

from engine.wire.protocol import LEFT
from tests.engine.world import Wire, World, bare, error

QUESTION = "Is a hot dog a sandwich?"


def three(world: World) -> tuple[Wire, Wire, Wire]:
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question=QUESTION)
    world.send(one, type="find", role="discuss")
    world.send(two, type="find", role="discuss")
    return spy, one, two


def started(world: World) -> tuple[Wire, Wire, Wire]:
    spy, one, two = three(world)
    for wire in (spy, one, two):
        wire.take()
    return spy, one, two


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)], ids=["the spy first", "the spy between", "the spy last"]
)
def test_all_three_meet_whoever_comes_first_and_all_see_the_question(order: tuple[int, int, int]) -> None:
    world = World()
    wires = [world.open(), world.open(), world.open()]
    finds = [{"role": "spy", "question": QUESTION}, {"role": "discuss"}, {"role": "discuss"}]
    for place in order:
        world.send(wires[place], type="find", **finds[place])
    for place, wire in enumerate(wires):
        assert wire.session.seat is not None
        assert wire.session.seat.side == (2 if place == 0 else wire.session.seat.side)
    chats = {wire.session.seat.chat.id for wire in wires if wire.session.seat}
    assert len(chats) == 1


def test_each_is_told_the_role_and_nothing_of_the_spy() -> None:
    world = World()
    spy, one, _two = three(world)
    matched = [wire.take()[-1] for wire in (spy, one)]
    assert matched[0] == {
        "type": "matched",
        "chat": "c001",
        "role": "spy",
        "common": [],
        "language": "en",
        "question": QUESTION,
    }
    assert matched[1] == {**matched[0], "role": "discuss", "side": 1}


def test_the_spy_sees_who_says_what_and_who_types() -> None:
    world = World()
    spy, one, two = started(world)
    world.say(one, "yes")
    world.say(two, "no")
    assert spy.take() == [
        {"type": "message", "seq": 1, "text": "yes", "from": 1},
        {"type": "message", "seq": 2, "text": "no", "from": 2},
    ]
    assert two.take() == [{"type": "message", "seq": 1, "text": "yes"}]


@pytest.mark.parametrize(
    "frame",
    [{"type": "message", "text": "hi"}, {"type": "typing", "typing": True}, {"type": "signal", "candidate": None}],
)
def test_the_spy_cannot_speak(frame: dict[str, object]) -> None:
    world = World()
    spy, one, two = started(world)
    assert bare(world.send(spy, **frame)) == [error("bad_type", of=frame["type"])]
    assert one.take() == two.take() == []


def test_one_of_the_two_leaves_and_both_others_are_told() -> None:
    world = World()
    spy, one, two = started(world)
    world.send(two, type="leave")
    assert spy.take() == [{"type": "left", "by": "stranger", "from": 2}]
    assert one.take() == [{"type": "left", "by": "stranger"}]


def test_the_spy_leaves_and_nobody_notices() -> None:
    world = World()
    spy, one, two = started(world)
    world.send(spy, type="leave")
    world.say(one, "alone?")
    assert two.take() == [{"type": "message", "seq": 1, "text": "alone?"}]
    world.send(one, type="leave")
    assert two.take() == [{"type": "left", "by": "stranger"}]
    assert spy.take() == []


def test_the_spys_drop_is_nobodys_business_and_the_spy_comes_back_to_what_was_said() -> None:
    world = World()
    spy, one, two = started(world)
    world.lose(spy)
    world.say(one, "hush")
    again = world.resume(spy)
    assert one.take() == []
    assert [frame["type"] for frame in again.take()] == ["resumed", "message"]
    world.say(two, "hm")
    assert again.take() == [{"type": "message", "seq": 2, "text": "hm", "from": 2}]


def test_the_spy_hears_who_is_away_and_back() -> None:
    world = World()
    spy, _one, two = started(world)
    world.lose(two)
    assert spy.take() == [{"type": "partner", "state": "away", "within": 15.0, "from": 2}]
    world.resume(two)
    assert spy.take() == [{"type": "partner", "state": "back", "from": 2}]


def test_a_spy_that_closes_ends_nothing() -> None:
    world = World()
    spy, one, two = started(world)
    world.lose(spy, LEFT)
    assert one.take() == two.take() == []
    assert one.session.seat is not None


def test_a_spy_reports_one_of_the_two_by_number() -> None:
    world = World()
    spy, one, two = started(world)
    assert bare(world.send(spy, type="report", reason="hate")) == [error("bad_field", of="report", field="who")]
    assert world.send(spy, type="report", reason="hate", who=2) == [{"type": "reported"}]
    assert bare(world.send(one, type="report", reason="hate", who=2)) == [error("bad_field", of="report", field="who")]
    assert world.engine._core.recents.barred(spy.session.id, world.now) == (two.session.id,)


def test_who_discusses_is_not_matched_with_who_does_not() -> None:
    world = World()
    one, two = world.open(), world.open()
    world.send(one, type="find", role="discuss")
    world.send(two, type="find")
    assert one.session.seat is None


def test_a_language_apart_does_not_discuss_together() -> None:
    world = World()
    spy, one, two, three = (world.open() for _ in range(4))
    world.send(spy, type="find", role="spy", question=QUESTION, language="de")
    world.send(one, type="find", role="discuss", language="en")
    world.send(two, type="find", role="discuss", language="de")
    assert spy.session.seat is None
    got = world.send(three, type="find", role="discuss", language="*")
    assert spy.session.seat is not None
    assert one.session.seat is None
    assert got[-1]["language"] == "de"


def test_from_spy_to_stranger_and_back_leaves_the_queue() -> None:
    world = World()
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question=QUESTION)
    world.send(spy, type="find")
    world.send(one, type="find", role="discuss")
    world.send(two, type="find", role="discuss")
    assert one.session.seat is None
    world.send(spy, type="find", role="spy", question=QUESTION)
    assert one.session.seat is not None


def test_who_is_away_is_not_put_together_and_keeps_the_place() -> None:
    world = World()
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question=QUESTION)
    world.send(one, type="find", role="discuss")
    world.lose(one)
    world.send(two, type="find", role="discuss")
    assert two.session.seat is None
    again = world.resume(one)
    assert [frame["type"] for frame in again.take()] == ["resumed", "matched"]


def test_the_same_three_do_not_discuss_again_at_once() -> None:
    world = World()
    spy, one, two = started(world)
    world.send(one, type="leave")
    for wire, find in (
        (spy, {"role": "spy", "question": QUESTION}),
        (one, {"role": "discuss"}),
        (two, {"role": "discuss"}),
    ):
        world.send(wire, type="find", **find)
    assert spy.session.seat is None
    assert world.engine.room.spy_waits(world.now)[0] >= 0.0


def test_a_shared_question_is_asked_again_of_two_who_wait_and_nobody_watches() -> None:
    world = World()
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question=QUESTION, share=True)
    world.send(one, type="find", role="discuss")
    world.send(two, type="find", role="discuss")
    three, four = world.open(), world.open()
    for wire in (three, four):
        world.send(wire, type="find", role="discuss")
        wire.take()
    world.wait(7)
    assert three.take() == []
    world.wait(2)
    (matched,) = three.take()
    assert matched["question"] == QUESTION
    assert matched["role"] == "discuss"
    world.say(three, "still a good one")
    assert four.take()[-1]["text"] == "still a good one"
    world.send(three, type="leave")
    assert four.take() == [{"type": "left", "by": "stranger"}]
    assert spy.session.seat is not None
    assert all("still" not in str(frame) for frame in spy.take())


def test_a_question_that_is_not_shared_is_not_asked_again() -> None:
    world = World()
    started(world)
    for _ in range(2):
        world.send(world.open(), type="find", role="discuss")
    world.wait(60)
    assert sum(wire.session.seat is not None for wire in world.wires.values()) == 3


def test_an_asker_comes_before_a_question_from_the_past() -> None:
    world = World()
    spy = world.open()
    world.send(spy, type="find", role="spy", question=QUESTION, share=True)
    for _ in range(2):
        world.send(world.open(), type="find", role="discuss")
    world.send(spy, type="find", role="spy", question=QUESTION + " Again?", share=True)
    one, two = world.open(), world.open()
    world.send(one, type="find", role="discuss")
    world.send(two, type="find", role="discuss")
    assert two.session.seat is not None
    assert two.session.seat.chat.question == QUESTION + " Again?"


def test_a_shared_question_keeps_its_language() -> None:
    world = World()
    spy = world.open()
    world.send(spy, type="find", role="spy", question=QUESTION, share=True, language="de")
    for _ in range(2):
        world.send(world.open(), type="find", role="discuss", language="de")
    others = [world.open(), world.open()]
    for wire in others:
        world.send(wire, type="find", role="discuss", language="fr")
    world.wait(60)
    assert all(wire.session.seat is None for wire in others)
