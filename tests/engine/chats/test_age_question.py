"""Test a statement of age below 18: the chat is held, its writer is asked, and "18 or over" is believed once."""

from typing import Any

import pytest

from engine.chats.age_question_pause import ANSWER_WITHIN
from engine.conduct.age_answers import ASKED, KEPT
from engine.conduct.detection_classes import AGE_HINT
from engine.conduct.detection_consequences import AGE_CLAIM, Act
from engine.wire.client_requests import Report
from engine.wire.protocol import ADULT, MINOR, PROGRAM
from engine.wire.rule_constants import Settings
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire, World, bare, error

LEFT = {"type": "left", "by": "moderation"}
SOLVED = {"type": "solved", "kind": "age"}
HELD = error("challenge", of="find")
IN_CHAT = ANSWER_WITHIN
PARTNER_ASKED = {"type": "partner", "state": "asked", "within": IN_CHAT}
PARTNER_BACK = {"type": "partner", "state": "back"}
START = 1_764_000_000  # Unix seconds at the world's beginning


def asked(within: float = KEPT, **parameters: Any) -> dict[str, Any]:
    return {"type": "challenge", "kind": "age", "parameters": parameters, "within": within}


def kept_out(world: World, left: float = KEPT) -> dict[str, Any]:
    until = START + round(world.now - 1000.0 + left)
    return error(
        "banned", until=until, rule="R1", reason="Only adults may use this service.", network=False, day="2025-11-24",
        by="machine", measure="age",
    )  # fmt: skip


def made(kind: type[World] = World, settings: Settings | None = None, keeps: bool = True, **outside: Any) -> World:
    """A world with a clock on the wall."""
    world = kind(settings, keeps=keeps, unix_time=lambda: START + round(world.now - 1000.0), **outside)
    return world


def meet(world: World, identity: int = 7, other: int = 8, way: int = 0) -> tuple[Wire, Wire]:
    """The one who will write it, and a partner."""
    a, b = world.open(identity), world.open(other)
    a.session.way = way
    for wire in (a, b):
        world.send(wire, type="find")
    for wire in (a, b):
        world.say(wire, "im 14")
        wire.take()
    for wire in (a, b):
        wire.take()
    return a, b


def claims(world: World, wire: Wire, age: int = 14, number: int = 1) -> list[dict[str, Any]]:
    """The program finds it in a line of this person's."""
    seat = wire.session.seat
    assert seat is not None
    world.engine.found(int(seat.chat.id, 16), seat.side, number, AGE_CLAIM, world.now, age)
    world.settle()
    return wire.take()


def answer(world: World, wire: Wire, response: str) -> list[dict[str, Any]]:
    return bare(world.send(wire, type="solution", kind="age", response=response))


def test_the_chat_is_held_and_the_writer_is_asked_and_it_continues_after_18_or_over() -> None:
    world = made()
    a, b = meet(world)
    assert claims(world, a) == [asked(IN_CHAT, age=14)]
    assert b.take() == [{"type": "tip", "kind": "minor", "seq": 1}, PARTNER_ASKED]
    assert world.engine.tally["age claimed"] == 1
    for wire in (a, b):  # no line passes, in neither direction, and each is counted as refused
        ring, side = wire.session.seat.chat.ring, wire.session.seat.side  # type: ignore[union-attr]
        taken = ring.taken(side)
        assert bare(world.send(wire, type="message", text="hello", id="m")) == [
            error("challenge", of="message", id="m")
        ]
        assert world.send(wire, type="typing", typing=True) == []
        assert ring.taken(side) == taken + 1
        assert ring.refused(side) == [taken + 1]
    assert bare(world.send(a, type="find")) == [asked(age=14), HELD]
    assert answer(world, a, ADULT) == [SOLVED]
    assert b.take() == [PARTNER_BACK]
    world.say(a, "fine")
    assert [frame["text"] for frame in b.take()] == ["fine"]
    world.say(b, "good")
    assert [frame["text"] for frame in a.take()] == ["good"]
    assert len(world.engine._holds) == 0


def test_the_chat_ends_with_under_18_and_without_an_answer_in_time() -> None:
    world = made()
    a, b = meet(world)
    claims(world, a)
    b.take()
    assert answer(world, a, MINOR) == [kept_out(world)]
    assert b.take() == [LEFT]
    world = made()
    a, b = meet(world)
    claims(world, a)
    b.take()
    world.wait(IN_CHAT - 1)
    assert (a.take(), b.take()) == ([], [])
    world.wait(1)
    assert (a.take(), b.take()) == ([LEFT], [LEFT])
    assert world.engine.tally["age unanswered"] == 1
    assert bare(world.send(a, type="find"))[-1] == HELD


@pytest.mark.parametrize(
    ("question", "number", "is_asked"), [(None, 4, False), (3, 4, True), (2, 4, False), (1, 4, True), (1, 2, True)]
)
def test_a_number_alone_is_a_statement_after_the_partner_s_question(
    question: int | None, number: int, is_asked: bool
) -> None:
    world = made()
    a, b = meet(world)  # they wrote lines 1 and 2
    first, second = (a, b) if a.session.seat.side == 0 else (b, a)  # type: ignore[union-attr]
    for wire in (first, second):
        world.say(wire, "hm")
        wire.take()
    chat = int(first.session.seat.chat.id, 16)  # type: ignore[union-attr]
    if question is not None:
        world.engine.found(chat, 1 - (question % 2), question, "age.question", world.now)
    world.engine.found(chat, 1, number, "age.number", world.now, 15)
    second.take()
    assert (len(world.engine._holds) == 1) is is_asked
    assert world.engine.ages.of(second.session.person, world.now) == (
        (ASKED, 15, world.now + KEPT) if is_asked else None
    )


def hints(world: World, wire: Wire, number: int = 1) -> list[dict[str, Any]]:
    """The program finds a hint in a line of this user."""
    seat = wire.session.seat
    assert seat is not None
    world.engine.found(int(seat.chat.id, 16), seat.side, number, AGE_HINT, world.now)
    world.settle()
    return wire.take()


def test_a_hint_brings_a_question_once_a_chat_and_nothing_waits_for_the_answer() -> None:
    world = made()
    a, b = meet(world)
    assert hints(world, a) == [asked(IN_CHAT, hint=True)]
    assert hints(world, a, 2) == []
    assert b.take() == [], "the partner hears nothing of it"
    world.wait(2 * IN_CHAT)
    world.say(a, "hello")
    assert [frame["text"] for frame in b.take()] == ["hello"]
    a.take()
    assert [frame["type"] for frame in world.send(a, type="find")] == ["waiting"]
    assert (len(world.engine._holds), len(world.engine.ages)) == (0, 0)
    assert not any(isinstance(what, Act) for _, _, what in world.kept)


def test_the_answer_to_a_hint_counts_for_the_day() -> None:
    world = made()
    a, b = meet(world)
    hints(world, a)
    assert answer(world, a, ADULT) == [SOLVED]
    assert hints(world, a, 2) == []
    assert hints(world, b, 2) == [asked(IN_CHAT, hint=True)]
    assert answer(world, b, MINOR) == [kept_out(world)]
    assert not any(isinstance(what, Act) for _, _, what in world.kept)


def test_a_hint_of_a_client_that_cannot_be_asked_has_no_consequence() -> None:
    world = made()
    a, b = meet(world, 0, way=PROGRAM)
    assert (hints(world, a), b.take()) == ([], [])
    assert len(world.engine.ages) == 0


def test_a_second_statement_is_a_case_and_asked_about_in_another_chat_alone() -> None:
    world = made()
    a, b = meet(world)
    claims(world, a)
    answer(world, a, ADULT)
    assert claims(world, a) == []
    assert claims(world, a) == []
    seat = a.session.seat
    acts = [item for item in world.kept if isinstance(item[2], Act)]
    assert acts == [(a.session, seat, Act(AGE_CLAIM, seat.side, 1))]  # type: ignore[union-attr]
    assert a.session.seat is not None
    b.take()


@pytest.mark.parametrize(("age", "parameters"), [(0, {}), (17, {"age": 17}), (18, {}), (99, {})])
def test_a_number_is_told_where_it_is_known(age: int, parameters: dict[str, Any]) -> None:
    world = made()
    a, _ = meet(world)
    assert claims(world, a, age)[0] == asked(IN_CHAT, **parameters)


def test_who_says_under_18_is_kept_out_for_a_day_in_every_connection() -> None:
    world = made()
    a, _ = meet(world)
    claims(world, a)
    told = kept_out(world)
    assert answer(world, a, MINOR) == [told]
    assert a.closed == 4003
    assert world.kept[-1][2].by == "moderation"
    assert not any(isinstance(what, Act) for _, _, what in world.kept)
    again = world.open(7)
    assert world.engine.underage(7, world.now) is not None
    assert bare(world.send(again, type="find"))[-1] == told
    assert again.closed == 4003
    world.wait(KEPT)
    assert world.engine.underage(7, world.now) is None
    third = world.open(7)
    assert [frame["type"] for frame in world.send(third, type="find")] == ["hello", "waiting"]


def test_who_writes_it_again_within_the_day_is_asked_again_and_looked_at() -> None:
    world = made()
    a, b = meet(world)
    claims(world, a)
    answer(world, a, ADULT)
    world.wait(KEPT - 10)
    world.send(a, type="find")
    world.send(b, type="find")
    world.say(a, "im 14")
    a.take()
    seat = a.session.seat
    assert seat is not None
    assert claims(world, a, number=1) == [asked(IN_CHAT, age=14)]
    (kept,) = [item for item in world.kept if isinstance(item[2], Act)]
    assert kept == (a.session, seat, Act(AGE_CLAIM, seat.side, 1))
    assert world.engine.tally["age again"] == 1


def test_where_nothing_is_kept_or_the_day_is_over_it_is_the_first_time() -> None:
    world = made(keeps=False)
    a, _ = meet(world)
    claims(world, a)
    answer(world, a, ADULT)
    b, _ = meet(world, 7, 9)
    assert claims(world, b)[0] == asked(IN_CHAT, age=14)
    assert world.kept == []
    world = made()
    a, _ = meet(world)
    claims(world, a)
    answer(world, a, ADULT)
    world.wait(KEPT)
    b, _ = meet(world, 7, 9)
    claims(world, b)
    assert world.engine.tally["age claimed"] == 2


@pytest.mark.parametrize(("reason", "looked"), [("minor", True), ("spam", False)])
@pytest.mark.parametrize("said", [True, False])
def test_a_report_as_a_minor_after_the_answer_is_looked_at(reason: str, looked: bool, said: bool) -> None:
    world = made()
    a, _ = meet(world)
    claims(world, a)
    if said:
        answer(world, a, ADULT)
    world.engine.ages.put(7, ADULT if said else ASKED, world.now)
    one = world.open(7)
    world.engine.ages.put(7, ADULT, world.now)
    two = world.open(9)
    world.send(one, type="find")
    world.send(two, type="find")
    if not said:
        world.engine.ages.forget(7)
    world.kept.clear()
    world.send(two, type="report", reason=reason)
    kinds = [type(what) for _, _, what in world.kept]
    assert kinds == ([Act, Report] if looked and said else [Report])
    if looked and said:
        assert world.kept[0][2] == Act(AGE_CLAIM, one.session.seat.side, 0)  # type: ignore[union-attr]
        world.send(two, type="report", reason=reason)
        assert len(world.kept) == 2  # once a chat


def test_an_answer_that_nobody_asked_for_or_that_is_none_is_refused() -> None:
    world = made()
    a, b = meet(world)
    assert answer(world, a, ADULT) == [error("challenge", of="solution")]
    claims(world, a)
    assert answer(world, a, "grown-up") == [error("bad_field", of="solution", field="response")]
    b.take()
    assert answer(world, b, ADULT) == [error("challenge", of="solution")]
    assert bare(world.send(a, type="solution", kind="altcha", response="x")) == [error("challenge", of="solution")]
    assert answer(world, a, ADULT) == [SOLVED]
    assert answer(world, a, MINOR) == [error("challenge", of="solution")]


def test_it_holds_for_the_cookie_and_across_a_resume() -> None:
    world = made()
    a, _ = meet(world)
    claims(world, a)
    other = world.open(7)
    other.take()
    assert bare(world.send(other, type="find")) == [asked(age=14), HELD]
    world.lose(a)
    world.now += 5
    back = world.resume(a, identity=7)
    back.take()
    assert bare(world.send(back, type="find")) == [asked(KEPT - 5, age=14), HELD]
    assert answer(world, back, ADULT) == [SOLVED]
    assert [frame["type"] for frame in world.send(other, type="find")] == ["waiting"]


def test_without_a_cookie_it_is_the_session_s_and_ends_with_it() -> None:
    world = made()
    a, _ = meet(world, 0, 0)
    claims(world, a)
    assert bare(world.send(a, type="find")) == [asked(age=14), HELD]
    assert len(world.engine.ages) == 1
    world.send(a, type="solution", kind="age", response=MINOR)
    assert a.closed == 4003
    assert len(world.engine.ages) == 0


def test_who_waits_in_another_window_goes_on_waiting_and_is_asked_before_the_next_search() -> None:
    world = made()
    other = world.open(7)
    world.send(other, type="find", language="fr")
    a, _ = meet(world)
    claims(world, a)
    other.take()
    assert bare(world.send(other, type="find", language="fr")) == [asked(age=14), HELD]
    answer(world, a, ADULT)
    assert [frame["type"] for frame in world.send(other, type="find", language="fr")] == ["waiting"]


def test_who_is_away_meanwhile_hears_it_when_they_are_back() -> None:
    world = made()
    a, b = meet(world)
    world.lose(a)
    b.take()
    assert claims(world, a) == []
    assert b.take() == [{"type": "tip", "kind": "minor", "seq": 1}, PARTNER_ASKED]
    back = world.resume(a, last=2, identity=7)
    assert asked(IN_CHAT, age=14) in back.take()
    assert bare(world.send(back, type="find")) == [asked(age=14), HELD]


def test_a_partner_who_is_away_learns_of_the_question_when_they_are_back() -> None:
    world = made()
    a, b = meet(world)
    world.lose(b)
    claims(world, a)
    back = world.resume(b, last=2, identity=8)
    assert back.take()[-1] == PARTNER_ASKED


def test_who_is_watched_is_asked_and_who_watches_hears_of_it() -> None:
    world = made()
    wires = [world.open(identity) for identity in (7, 8, 9)]
    world.send(wires[0], type="find", role="discuss")
    world.send(wires[1], type="find", role="discuss")
    world.send(wires[2], type="find", role="spy", question="is it a question at all?")
    for wire in wires:
        wire.take()
    world.say(wires[0], "im 14")
    for wire in wires:
        wire.take()
    assert claims(world, wires[0]) == [asked(IN_CHAT, age=14)]
    assert wires[1].take()[-1] == PARTNER_ASKED
    assert wires[2].take()[-1] == PARTNER_ASKED | {"from": wires[0].session.seat.side + 1}  # type: ignore[union-attr]
    assert answer(world, wires[0], ADULT) == [SOLVED]
    world.say(wires[0], "fine")
    assert [wire.take()[-1]["text"] for wire in wires[1:]] == ["fine", "fine"]


def test_of_a_line_that_was_not_said_nobody_is_asked_and_of_a_chat_that_is_just_over_before_the_next_search() -> None:
    world = made()
    a, b = meet(world)
    seat = a.session.seat
    assert seat is not None
    assert claims(world, a, number=3) == []
    world.send(b, type="leave")
    a.take()
    assert len(world.engine.ages) == 0
    world.engine.found(int(seat.chat.id, 16), seat.side, 1, AGE_CLAIM, world.now, 14)
    assert a.take() == []
    assert bare(world.send(a, type="find")) == [asked(age=14), HELD]
    world.engine.found(0xDEAD, seat.side, 1, AGE_CLAIM, world.now, 14)
    assert len(world.engine.ages) == 1


def test_a_client_of_another_wire_is_told_and_its_searches_are_refused() -> None:
    world = made()
    a, _ = meet(world, 0, way=PROGRAM)
    a.session.alias = a.session.person = -5
    assert claims(world, a) == [asked(age=14), LEFT]
    again = world.open(0)
    again.session.alias = again.session.person = -5
    again.session.way = PROGRAM
    again.take()
    assert bare(world.send(again, type="find")) == [asked(age=14), error("adult", of="find")]


def test_other_processes_are_told_of_who_has_a_cookie() -> None:
    told: list[tuple[int, str, int]] = []
    world = made(publish_age=lambda *said: told.append(said))
    a, _ = meet(world)
    claims(world, a)
    answer(world, a, ADULT)
    b, _ = meet(world, 0, 0)
    claims(world, b)
    assert told == [(7, ASKED, 14), (7, ADULT, 0)]


def test_the_question_and_the_answer_move_along() -> None:
    world = made(MovingWorld, keeps=False)
    assert isinstance(world, MovingWorld)
    a, _ = meet(world)
    claims(world, a)
    gone, _ = meet(world, 9, 10)
    claims(world, gone)
    world.lose(gone)
    world.wait(60.0)
    world.move()
    assert bare(world.send(a, type="find")) == [asked(KEPT - 60, age=14), HELD]
    assert answer(world, a, ADULT) == [SOLVED]
    world.move()
    back = world.open(9)
    back.take()
    assert bare(world.send(back, type="find"))[-1] == HELD
    assert answer(world, back, MINOR)[-1]["code"] == "banned"
    world.move()
    assert world.engine.underage(9, world.now) is not None
    said = world.engine.ages.of(7, world.now)
    assert said is not None
    assert said.state == ADULT
