"""Test requests to a child: acted on in either order, once, in the chat or up to a minute after it."""

from itertools import permutations

import pytest

from engine.chats.grooming import request_of
from engine.conduct.detection_consequences import AGE_CLAIM, Act
from engine.core.ended_seats import LONGER, SECONDS
from engine.wire.protocol import ADULT, MINOR
from engine.wire.rule_constants import Settings
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire, World

REQUEST, CLAIM = (0, "groom.secrecy"), (1, AGE_CLAIM)
LOW = (0, "groom.pictures")
ANSWERED = {ADULT: (1, "age.adult"), MINOR: (1, "age.minor")}


def talk(world: World) -> tuple[Wire, Wire, int]:
    """Two in a chat, by side, who wrote four lines; and the number of the chat."""
    a, b = world.pair()
    two = (a, b) if a.session.seat.side == 0 else (b, a)  # type: ignore[union-attr]
    for wire in two * 2:
        world.say(wire, "hi")
    for wire in two:
        wire.take()
    return *two, int(two[0].session.seat.chat.id, 16)  # type: ignore[union-attr]


def acts(world: World) -> list[Act]:
    return [what for _, _, what in world.kept if isinstance(what, Act)]


def is_ended(wire: Wire) -> bool:
    return {"type": "left", "by": "moderation"} in wire.take()


@pytest.mark.parametrize("found", [{REQUEST: 1, CLAIM: 2}, {CLAIM: 2, REQUEST: 3}])
def test_a_certain_request_is_acted_on_before_and_after_the_statement(found: dict[tuple[int, str], int]) -> None:
    for order in permutations(found.items()):  # detections may arrive in another order than the lines
        world = World(keeps=True)
        a, b, chat = talk(world)
        seat = a.session.seat
        for (side, rule), number in order:
            world.engine.found(chat, side, number, rule, world.now)
            world.settle()
        assert acts(world) == [Act("groom", 0, found[REQUEST])]
        assert [who for who, _, what in world.kept if isinstance(what, Act)] == [a.session]
        assert seat is not None
        assert seat.chat.acted == 1
        assert is_ended(a)
        assert is_ended(b)
        world.engine.found(chat, 0, 3, "groom", world.now)
        assert len(acts(world)) == 1


@pytest.mark.parametrize("found", [{}, {(0, AGE_CLAIM): 1}])
def test_a_request_alone_has_no_consequence(found: dict[tuple[int, str], int]) -> None:
    everything: dict[tuple[int, str], int] = {REQUEST: 3, LOW: 4, **found}
    for side in (0, 1):
        for over in (False, True):
            assert request_of(everything, side, over) is None


@pytest.mark.parametrize(("answer", "in_chat", "after"), [(None, None, 4), (ADULT, None, None), (MINOR, 4, 4)])
def test_a_request_of_low_confidence_waits_for_the_answer(
    answer: str | None, in_chat: int | None, after: int | None
) -> None:
    found = {LOW: 4, CLAIM: 2}
    if answer is not None:
        found[ANSWERED[answer]] = 4
    assert (request_of(found, 0, False), request_of(found, 0, True)) == (in_chat, after)
    assert request_of({**found, REQUEST: 3}, 0, False) == 3  # a certain one does not


def test_a_number_after_a_question_counts_once_it_is_confirmed() -> None:
    found = {(0, "age.question"): 1, (1, "age.number"): 2, LOW: 4}
    assert request_of(found, 0, True) is None
    assert request_of({**found, ANSWERED[MINOR]: 4}, 0, False) == 4


def test_a_chat_that_ends_without_an_answer_is_acted_on_then() -> None:
    world = World(keeps=True)
    a, b, chat = talk(world)
    world.engine.found(chat, 0, 1, "groom.pictures", world.now)
    world.engine.found(chat, 1, 2, AGE_CLAIM, world.now)
    world.settle()
    assert acts(world) == []
    if b.session.seat is not None:
        world.send(b, type="leave")
    world.engine.sweep(world.now + 1)
    world.engine.sweep(world.now + 2)
    assert acts(world) == [Act("groom", 0, 1)]
    assert [who for who, _, what in world.kept if isinstance(what, Act)] == [a.session]


@pytest.mark.parametrize(("late", "count"), [(SECONDS + 1, 1), (LONGER - 1, 1), (LONGER + 1, 0)])
def test_the_answer_may_come_up_to_a_minute_after_the_chat(late: float, count: int) -> None:
    world = World(keeps=True)
    a, b, chat = talk(world)
    world.engine.found(chat, 0, 1, "groom.gifts", world.now)
    world.engine.found(chat, 0, 3, "age.question", world.now)
    world.engine.found(chat, 1, 4, "age.number", world.now, 15)
    world.settle()
    if a.session.seat is not None:
        world.send(a, type="leave")
    assert acts(world) == []
    b.take()
    world.wait(late)
    world.send(b, type="solution", kind="age", response=MINOR)
    assert len(acts(world)) == count


def test_a_late_detection_acts_on_the_chat_that_ended_and_not_on_the_next() -> None:
    world = World(keeps=True)
    a, _, chat = talk(world)
    world.send(a, type="leave")
    for wire in (a, world.open()):
        world.send(wire, type="find")
    assert a.session.seat is not None
    for (side, rule), number in ((CLAIM, 2), (REQUEST, 3)):
        world.engine.found(chat, side, number, rule, world.now)
    assert acts(world) == [Act("groom", 0, 3)]
    assert a.session.seat is not None


def test_a_request_before_a_migration_is_acted_on_after_it() -> None:
    world = MovingWorld(keeps=True)
    a, _, chat = talk(world)
    world.engine.found(chat, 0, 1, "groom", world.now)
    world.move()
    world.engine.found(chat, 1, 2, AGE_CLAIM, world.now)
    world.settle()
    assert acts(world) == [Act("groom", 0, 1)]
    assert is_ended(a)


def test_without_a_store_the_chat_ends_all_the_same() -> None:
    world = World(Settings(tips=False))
    a, b, chat = talk(world)
    for (side, rule), number in ((CLAIM, 2), (REQUEST, 3)):
        world.engine.found(chat, side, number, rule, world.now)
        world.settle()
    assert is_ended(a)
    assert is_ended(b)
    assert world.kept == []
