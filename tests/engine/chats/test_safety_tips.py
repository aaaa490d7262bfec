"""Tips: who is told what, once, and only while the chat goes on."""

import pytest

from engine.conduct.detection_classes import RULES
from engine.conduct.detection_consequences import AGE_CLAIM, WITH_NUMBERS, consequence_of
from engine.wire.rule_constants import Settings
from tests.engine.world import Wire, World

NUMBERS = [{"name": "Somebody", "call": "116 123"}]


def found(world: World, wire: Wire, side: int, rule: str, number: int = 1, chat: str = "") -> None:
    seat = wire.session.seat
    assert seat is not None or chat
    world.engine.found(int(chat or seat.chat.id, 16), side, number, rule, world.now)  # type: ignore[union-attr]


def talking(settings: Settings | None = None) -> tuple[World, Wire, Wire]:
    world = World(settings, help_lines=lambda _: NUMBERS)
    a, b = world.pair()
    sides = (a, b) if a.session.seat.side == 0 else (b, a)  # type: ignore[union-attr]
    for wire in sides:
        world.say(wire, "hi")
    for wire in sides:
        wire.take()
    return world, *sides


TIPS = [rule for rule, kind in RULES.items() if kind.name != AGE_CLAIM]  # that asks for an age: test_age_question.py


@pytest.mark.parametrize("rule", TIPS)
@pytest.mark.parametrize("side", [0, 1])
def test_a_finding_is_told_to_whom_the_table_says(rule: str, side: int) -> None:
    world, *sides = talking()
    found(world, sides[0], side, rule, number=2)
    follows = consequence_of(rule)
    for wire, kind in ((sides[side], follows.writer), (sides[1 - side], follows.receiver)):
        numbers = {"numbers": NUMBERS} if kind in WITH_NUMBERS else {}
        assert wire.take() == ([{"type": "tip", "kind": kind, "seq": 2} | numbers] if kind else [])
        assert not kind or world.engine.tally[f"tip {kind}"] == 1


def test_a_question_is_read_along_before_the_chat_is_and_both_who_discuss_are_told() -> None:
    read: list[tuple[int, bytes]] = []
    world = World(screen_question=lambda chat, question: read.append((chat, question)), help_lines=lambda _: NUMBERS)
    wires = [world.open() for _ in range(3)]
    world.send(wires[0], type="find", role="spy", question='is "my snap" cool?')
    assert read == []
    for wire in wires[1:]:
        world.send(wire, type="find", role="discuss")
    seat = wires[0].session.seat
    assert seat is not None
    assert read == [(int(seat.chat.id, 16), b'is \\"my snap\\" cool?')]
    for wire in wires:
        wire.take()
    found(world, wires[0], 2, "contact", number=0)
    found(world, wires[0], 2, "private", number=0)
    told = [[(frame["type"], frame["kind"], frame["seq"]) for frame in wire.take()] for wire in wires]
    assert told == [[("tip", "private", 0)], [("tip", "contact", 0)], [("tip", "contact", 0)]]


def test_where_an_operator_wants_no_tips_nobody_is_told() -> None:
    world, a, b = talking(Settings(tips=False))
    found(world, a, 0, "link")
    found(world, a, 0, "self-harm")
    assert (a.take(), b.take()) == ([], [])


def test_each_kind_is_told_once_a_chat_and_side_and_anew_in_the_next_chat() -> None:
    world, a, b = talking()
    for _ in range(3):
        found(world, a, 0, "link")
    found(world, a, 0, "contact")
    assert [frame["kind"] for frame in b.take()] == ["link", "contact"]
    found(world, a, 1, "link", number=2)
    assert [frame["kind"] for frame in a.take()] == ["link"]
    world.send(a, type="leave")
    b.take()
    c, d = world.pair()
    world.say(c, "hi")
    d.take()
    found(world, c, c.session.seat.side, "link")  # type: ignore[union-attr]
    assert [frame["kind"] for frame in d.take()] == ["link"]


def test_nobody_is_told_of_a_chat_that_is_over_of_another_or_of_a_line_that_was_not_said() -> None:
    world, a, b = talking()
    chat = a.session.seat.chat.id  # type: ignore[union-attr]
    found(world, a, 0, "link", number=3)
    found(world, a, 0, "no rule")
    found(world, a, 0, "link", chat="abc")
    assert (a.take(), b.take()) == ([], [])
    world.send(a, type="leave")
    b.take()
    found(world, a, 0, "link", chat=chat)
    found(world, a, 1, "link", chat=chat)
    assert (a.take(), b.take()) == ([], [])


def test_who_is_away_is_not_told_and_may_be_told_later() -> None:
    world, a, b = talking()
    world.lose(b)
    a.take()
    found(world, a, 0, "link")
    back = world.resume(b, last=1)
    assert "tip" not in [frame["type"] for frame in back.take()]
    found(world, a, 0, "link")
    assert [frame["type"] for frame in back.take()] == ["tip"]


def test_chats_that_are_over_are_not_known_by_their_number() -> None:
    world, a, _ = talking()
    talks = world.engine._core.talking
    assert list(talks.values()) == [a.session.id]
    world.send(a, type="leave")
    assert talks == {}
