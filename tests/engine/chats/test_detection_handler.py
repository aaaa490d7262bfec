"""What follows from findings beyond a tip: points, an end, and what the server does; each once, bounded, and about the writer alone."""

import pytest

from engine.conduct.detection_classes import AGE_NUMBER, LOW, RULES
from engine.conduct.detection_consequences import AGE_ASKED, OWN, Act
from engine.conduct.friction_points import FACTS, LINKED
from engine.conduct.opener_counts import MANY, WINDOW
from engine.core import ended_seats
from engine.wire.rule_constants import Settings
from tests.engine.world import Wire, World

COUNTING = Settings(challenges=True)


def sides(world: World, **find: object) -> tuple[Wire, Wire]:
    """Two who talk, by side, and said a line each."""
    a, b = world.pair(**find)
    two = (a, b) if a.session.seat.side == 0 else (b, a)  # type: ignore[union-attr]
    for wire in two:
        world.say(wire, "hi")
    for wire in two:
        wire.take()
    return two


def chat_of(wire: Wire) -> int:
    seat = wire.session.seat
    assert seat is not None
    return int(seat.chat.id, 16)


def points(world: World, wire: Wire) -> int:
    session = wire.session
    return world.engine.friction.points(session.person, session.identity, "elsewhere", world.now)


def meets(world: World, wire: Wire) -> int:
    """They say a line to somebody new; at which side they sit."""
    for one in (wire, world.open(address="198.51.100.1")):
        world.send(one, type="find")
    world.say(wire, "hi")
    assert wire.session.seat is not None
    return wire.session.seat.side


def test_an_opener_counts_for_the_writer_alone() -> None:
    world = World(COUNTING)
    a, b = sides(world)
    before = points(world, a), points(world, b)
    world.engine.found(chat_of(a), 0, 1, "opener", world.now)
    assert (points(world, a), points(world, b)) == (before[0] + FACTS["opener"].points, before[1])


@pytest.mark.parametrize("rule", ["link", "contact"])
def test_a_link_or_a_contact_counts_in_each_of_several_chats(rule: str) -> None:
    world = World(COUNTING)
    wire = world.open()
    before = points(world, wire)
    for begun in range(1, LINKED + 1):
        side = meets(world, wire)
        for _ in range(2):
            world.engine.found(chat_of(wire), side, 1, rule, world.now)
        assert points(world, wire) == before + (FACTS["linked"].points if begun >= LINKED else 0)
        world.send(wire, type="leave")


@pytest.mark.parametrize("rule", [rule for rule, kind in RULES.items() if kind.confidence == LOW])
def test_a_rule_of_low_confidence_costs_the_writer_no_points(rule: str) -> None:
    world = World(COUNTING)
    wire = world.open(7)
    before = points(world, wire)
    for _ in range(2 * LINKED):
        side = meets(world, wire)
        world.engine.found(chat_of(wire), side, 1, rule, world.now)
        world.send(wire, type="leave")
    assert points(world, wire) == before


def test_what_was_found_is_known_with_the_chat_once_and_what_concerns_the_writer_alone_is_not() -> None:
    world = World(COUNTING)
    a, _ = sides(world)
    seat = a.session.seat
    assert seat is not None
    for rule in RULES:
        for number in (2, 1, 3):
            world.engine.found(chat_of(a), 1, number, rule, world.now)
    known = {(1, rule): 2 for rule, kind in RULES.items() if kind.name not in OWN and rule != AGE_NUMBER}
    known[1, AGE_ASKED] = 1  # the last one that came
    assert seat.chat.found == known
    world.engine.found(chat_of(a), 1, 1, "no rule", world.now)
    assert seat.chat.found == known


def began(world: World, wire: Wire, times: int) -> None:
    """Their chat is said to begin like others, so many times."""
    for _ in range(times):
        world.engine.found(chat_of(wire), 0, 1, "opener", world.now)


def test_who_began_many_chats_so_is_told_of_with_the_line() -> None:
    world = World(keeps=True)
    a, _ = sides(world)
    began(world, a, MANY - 1)
    world.engine.found(chat_of(a), 0, 1, "repeat", world.now)
    assert world.kept == []
    began(world, a, 1)
    world.engine.found(chat_of(a), 0, 1, "repeat", world.now)
    assert world.kept == [(a.session, a.session.seat, Act("repeat", 0, 1))]


def test_a_crowd_that_begins_alike_is_no_advert_of_anybody() -> None:
    world = World(keeps=True)
    for at in range(20):
        wires = [world.open(address=f"198.51.{at}.{n}") for n in range(2)]
        for wire in wires:
            world.send(wire, type="find", interests=[f"crowd {at}"], strict=True)
        for wire in wires:
            world.say(wire, "hi")
        for side in (0, 1):
            for rule in ("opener", "repeat"):
                world.engine.found(chat_of(wires[0]), side, 1, rule, world.now)
    assert world.kept == []


def test_a_network_with_ever_new_cookies_is_one_and_what_is_long_ago_is_not_counted() -> None:
    world = World(keeps=True)
    for identity in range(1, MANY + 1):
        world.open(identity, "203.0.113.9")
    wires = list(world.wires.values())
    for at, wire in enumerate(wires):
        other = world.open(address=f"198.51.100.{at}")
        for one in (wire, other):
            world.send(one, type="find", interests=[f"net {at}"], strict=True)
            world.say(one, "hi") if one.session.seat else None
        side = wire.session.seat.side  # type: ignore[union-attr]
        world.say(wire, "hi")
        world.engine.found(chat_of(wire), side, 1, "opener", world.now)
        last, last_side = wire, side
    world.engine.found(chat_of(last), last_side, 1, "repeat", world.now)
    assert len(world.kept) == 1
    world.now += WINDOW + 1
    world.engine.found(chat_of(last), last_side, 1, "repeat", world.now)
    assert len(world.kept) == 1


def test_chats_that_are_over_are_remembered_for_seconds_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_seats, "MOST", 5)
    world = World(COUNTING)
    for _ in range(5):
        a, _ = sides(world)
        began(world, a, 1)
        world.send(a, type="leave")
    assert len(world.engine._core.lately) == 5
    world.engine.sweep(world.now + WINDOW)
    assert len(world.engine._core.lately) == len(world.engine._core.openers) == 0


def test_where_no_program_looks_nothing_of_a_chat_that_is_over_is_remembered() -> None:
    world = World(Settings(screening=False))
    a, _ = sides(world)
    world.send(a, type="leave")
    assert len(world.engine._core.lately) == 0


def chats_with(world: World, wire: Wire, rule: str, count: int) -> list[Act]:
    """The user writes a line of this rule in so many chats, with each challenge solved; the cases that follow."""
    world.engine.friction.solved(wire.session.person, 3, 3_600.0, world.now)
    for _ in range(count):
        side = meets(world, wire)
        for _ in range(2):
            world.engine.found(chat_of(wire), side, 1, rule, world.now)
        world.send(wire, type="leave")
        wire.take()
    return [item[2] for item in world.kept if isinstance(item[2], Act)]


def test_hate_is_told_at_once_slows_from_the_third_chat_and_is_a_case_from_the_fifth() -> None:
    told: list[tuple[int, str, int]] = []
    world = World(COUNTING, keeps=True, publish_detection=lambda *row: told.append(row))
    wire = world.open(7)
    before = points(world, wire)
    assert chats_with(world, wire, "hate", 2) == []
    assert points(world, wire) == before
    assert chats_with(world, wire, "hate", 2) == []
    assert points(world, wire) == before + FACTS["detected"].points
    world.now += 60
    acts = chats_with(world, wire, "hate", 2)
    assert [(act.found, len(act.earlier)) for act in acts] == [("hate", 4), ("hate", 5)]
    assert acts[1].earlier == (*[world.now - 60] * 4, world.now), "when it was in the day's other chats"
    assert [row[:2] for row in told] == [(7, "hate")] * 6
    assert world.engine.tally["tip hate"] == 6


def test_a_threat_is_a_case_in_its_first_chat() -> None:
    world = World(keeps=True)
    wire = world.open(7)
    (act,) = chats_with(world, wire, "threat.extortion", 1)
    assert act.found == "threat"
    assert world.engine.tally["tip threat"] == 1


def test_a_second_line_of_low_confidence_is_a_case_for_a_threat_alone_and_once_a_chat() -> None:
    world = World(keeps=True)
    a, b = sides(world)
    for wire in (a, b):
        for line in ("one", "two", "three"):
            world.say(wire, line)
    for number, rule in ((1, "threat.hint"), (1, "threat.model.low"), (2, "hate.slur"), (3, "hate.slur")):
        world.engine.found(chat_of(a), 0, number, rule, world.now)
    world.engine.found(chat_of(a), 1, 2, "threat.hint", world.now)
    assert world.kept == []
    for number in (3, 4):
        world.engine.found(chat_of(a), 0, number, "threat.model.low", world.now)
    (act,) = [item[2] for item in world.kept]
    assert (act.found, act.side, act.number) == ("threat", 0, 3)


@pytest.mark.parametrize("rule", ["hate.slur", "threat.hint", "self-harm", "self-harm.hint", "groom.pictures"])
def test_nobody_is_restricted_for_a_word_of_low_confidence_or_about_themselves(rule: str) -> None:
    world = World(COUNTING, keeps=True)
    wire = world.open(7)
    before = points(world, wire)
    assert chats_with(world, wire, rule, 9) == []
    assert points(world, wire) == before
    assert len(world.engine._core.daily) == 0
