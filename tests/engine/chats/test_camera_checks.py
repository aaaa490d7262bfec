"""When cameras are looked at, whom that asks, and how much is remembered of it."""

from typing import Any

import pytest

from engine.chats import camera_checks
from engine.conduct.detection_consequences import AGE_CLAIM, LIMITS, NUDITY
from engine.wire.protocol import LEFT, PROGRAM, SNAP_NONCE
from engine.wire.rule_constants import LOOK_AGAIN, LOOK_LEAST, OFF, PAUSE, PAUSED_FOR, REPORTS, SIGHT_FOR, Settings
from engine.wire.server_frames import snap
from tests.engine.looking import ANSWER, BOTH, MEAN_GAP, WITHIN, Looking, due, hits, kinds, looks_of, misses, veils
from tests.engine.world import Wire, World, bare, error

# when


def test_the_first_look_comes_with_the_first_answer_and_both_are_asked_in_one_turn() -> None:
    world = Looking()
    one, two = world.meet()
    world.send(one, type="signal", description={"type": "offer", "sdp": "v=0"})
    world.send(one, type="signal", candidate=None)
    assert (world.engine._snaps.due(), len(world.engine._snaps)) == (None, 0)
    world.send(two, type="signal", description=ANSWER)
    assert world.engine.due() == world.now
    world.wait(0.0)
    seat = one.session.seat
    assert seat is not None
    assert world.asked == [(seat.chat.id, (0, 1))]
    first, second = one.take()[-1], two.take()[-1]
    assert (first["type"], first["tiles"], first["gap"], first["mine"], first["within"]) == ("snap", 3, 250, True, 8)
    assert first["nonce"] != second["nonce"]
    assert (len(first["nonce"]), len(second["nonce"])) == (SNAP_NONCE, SNAP_NONCE)
    world.send(two, type="signal", description=ANSWER)
    world.wait(1.0)
    assert len(world.asked) == 1, "a later answer is nothing new"


@pytest.mark.parametrize(
    ("draw", "gap"), [(0.0, 20.0), (0.5, MEAN_GAP), (1.0 - 1 / 2.718281828459045, 60.0), (1.0, 20.0 + 40.0 * 13.8155)]
)
def test_further_looks_are_drawn_at_least_20_s_apart_and_a_minute_in_the_mean(draw: float, gap: float) -> None:
    world = Looking()
    one, two = world.call()
    world.draws = [draw]
    nonces = world.looked(one, two)
    assert due(world) == pytest.approx(gap, abs=0.01)
    world.clean(*nonces)
    world.wait(due(world) - 0.01)
    assert len(world.asked) == 1
    world.wait(0.02)
    assert len(world.asked) == 2


def test_a_held_call_is_not_checked_and_a_picture_that_it_cannot_give_is_not_counted() -> None:
    world = Looking()
    one, two = world.call(7, 8)
    seat = one.session.seat
    assert seat is not None
    world.say(one, "im 14")
    world.engine.found(int(seat.chat.id, 16), seat.side, 1, AGE_CLAIM, world.now, 14)
    world.settle()
    world.wait(WITHIN)
    assert seat.chat.looks is not None
    assert [max(camera.unseen, camera.unshown) for camera in seat.chat.looks.cameras] == [0, 0]
    asked = len(world.asked)
    world.wait(60.0)
    assert len(world.asked) == asked
    world.send(one, type="solution", kind="age", response="adult")
    world.wait(LOOK_AGAIN)
    assert len(world.asked) == asked + 1
    assert two.session.seat is not None


def test_looks_are_closer_where_much_speaks_against_one_of_the_two() -> None:
    world = Looking(challenges=True)
    one, two = world.call(7, 8)
    for reporter in (1, 2):
        world.engine.friction.reported(8, reporter, world.now)
    before = len(world.engine.friction)
    world.clean(*world.looked(one, two))
    assert due(world) == pytest.approx(20.0 + 5.0 * 0.6931, abs=0.01)
    assert len(world.engine.friction) == before, "to look is nothing that counts"


def test_a_queue_that_is_full_doubles_the_mean_and_no_pictures_at_present_ask_nobody() -> None:
    world = Looking()
    one, two = world.call()
    world.engine.change_pictures(120.0)
    world.clean(*world.looked(one, two))
    assert due(world) == pytest.approx(20.0 + 100.0 * 0.6931, abs=0.01)
    world.off = True
    world.wait(due(world))
    assert (len(world.asked), kinds(one.take())) == (2, [])
    assert due(world) == pytest.approx(20.0 + 100.0 * 0.6931, abs=0.01)
    world.engine.change_pictures(0.0)
    three, four = world.meet(snaps=False)
    world.send(three, type="signal", description=ANSWER)
    assert len(world.engine._snaps) == 1
    assert four.session.seat is not None


@pytest.mark.parametrize(("draw", "looked"), [(0.24, 1), (0.25, 0), (0.99, 0)])
def test_a_part_of_the_chats_is_looked_at(draw: float, looked: int) -> None:
    world = Looking(snap_share=0.25)
    world.draws = [draw]
    one, _ = world.call()
    world.wait(1.0)
    assert len(world.asked) == looked
    world.send(one, type="report", reason="nudity")
    world.wait(0.0)
    assert len(world.asked) == 1, "one who reports is looked at where the chat is not one of them"


@pytest.mark.parametrize("mode", ["on", REPORTS])
def test_a_report_looks_at_once_and_once(mode: str) -> None:
    world = Looking(pictures=mode)
    one, two = world.call()
    world.clean(*(world.looked(one, two) if mode == "on" else []))
    world.wait(3.0)
    one.take(), two.take()
    before = len(world.asked)
    world.send(one, type="report", reason="nudity")
    assert world.engine.due() == world.now
    world.looked(two)
    world.send(one, type="report", reason="nudity")
    world.wait(WITHIN - 0.1)
    assert len(world.asked) == before + 1
    world.wait(3_600.0 if mode == REPORTS else 0.0)
    assert len(world.asked) == before + 1, "no others where reports alone ask for them"


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        ({}, False),
        ({"pictures": REPORTS}, False),
        ({"snaps_required": False}, True),
        ({"pictures": OFF}, True),
        ({"snap_mean": 0.0}, True),
    ],
)
def test_two_programs_have_no_call_where_somebody_has_to_answer_looks(settings: dict[str, Any], passes: bool) -> None:
    world = Looking(**settings)
    wires = world.open(), world.open()
    for wire in wires:
        wire.session.way = PROGRAM
        world.send(wire, type="find", mode="video")
    one, two = wires
    one.take(), two.take()
    for signal in ({"description": {"type": "offer", "sdp": "v=0"}}, {"description": ANSWER}, {"candidate": None}):
        refused = [] if passes else [error("snaps", of="signal")]
        assert bare(world.send(one, type="signal", **signal)) == refused
    assert kinds(two.take()) == ["signal"] * (3 if passes else 0)
    world.say(one, "by text")
    assert kinds(two.take()) == ["message"]


def test_what_somebody_gives_unasked_of_their_camera_brings_a_look_soon_and_not_sooner_after_another() -> None:
    world = Looking()
    one, two = world.call()
    world.clean(*world.looked(one, two))
    world.wait(1.0)
    world.engine.suspect(two.session, world.now)
    assert due(world) == pytest.approx(LOOK_LEAST - 1.0)
    world.wait(LOOK_LEAST - 1.0)
    assert len(world.asked) == 2
    unseen = Looking(snap_share=0.0)
    one, two = unseen.call()
    unseen.draws = [0.5]
    unseen.engine.suspect(two.session, unseen.now)
    assert due(unseen) == pytest.approx(4.5)
    unseen.engine.suspect(two.session, unseen.now + 1.0)
    assert due(unseen) == pytest.approx(4.5), "the sooner one holds"
    assert (veils(one.take()), unseen.acts()) == ([], []), "it proves nothing"


@pytest.mark.parametrize("settings", [{"pictures": OFF}, {"pictures": REPORTS}, {"snap_mean": 0.0}])
def test_what_is_given_unasked_brings_nothing_where_no_looks_are_at_random(settings: dict[str, Any]) -> None:
    world = Looking(**settings)
    _, two = world.call()
    world.engine.suspect(two.session, world.now)
    text, _ = world.pair()
    world.engine.suspect(text.session, world.now)
    world.send(two, type="leave")
    world.engine.suspect(two.session, world.now)
    assert (world.engine._snaps.due(), world.asked) == (None, [])


def test_one_look_at_once() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    world.wait(2.0)
    world.send(one, type="report", reason="nudity")
    world.wait(1.0)
    assert len(world.asked) == 1
    world.clean(*nonces)
    world.wait(0.0)
    assert len(world.asked) == 2, "as soon as the one before is over"


def test_reports_of_chats_that_are_over_or_are_by_text_look_at_nothing() -> None:
    world = Looking()
    one, two = world.call()
    world.clean(*world.looked(one, two))
    world.send(two, type="leave")
    world.send(one, type="report", reason="nudity")
    a, _ = world.pair()
    world.send(a, type="report", reason="nudity")
    assert (world.engine._snaps.due(), len(world.asked)) == (None, 1)


# whom


def test_text_chats_and_clients_that_know_nothing_of_it_are_as_they_were() -> None:
    world = Looking()
    a, b = world.pair()
    world.say(a, "hi")
    assert kinds(b.take()) == ["message"]
    assert (world.engine._snaps.due(), world.asked, len(world.engine._snaps)) == (None, [], 0)
    old = Looking(snaps_required=False)
    one, two = old.call(snaps=False)
    old.wait(600.0)
    assert (old.asked, len(old.engine._snaps)) == ([], 0)
    old.send(one, type="signal", candidate=None)
    assert kinds(two.take()) == ["signal"]


@pytest.mark.parametrize("settings", [{"pictures": OFF}, {"pictures": REPORTS}])
def test_where_nothing_is_to_be_looked_at_nothing_is(settings: dict[str, Any]) -> None:
    world = Looking(**settings)
    world.call()
    world.wait(600.0)
    assert (world.asked, len(world.engine._snaps)) == ([], 0)
    bare_world = World(Settings(**settings))
    assert bare_world.outside.make_nonces("c", (0, 1)) == ()


def test_who_cannot_answer_is_not_asked_and_the_other_owes_no_picture_of_their_own() -> None:
    world = Looking(snaps_required=False)
    one, two = world.call()
    two.session.snaps = False
    (nonce,) = world.looked(one)
    assert (world.asked[0][1], kinds(two.take())) == ((0,), [])
    world.says(nonce, "theirs", "hit")
    assert veils(one.take()) == [(True, "nudity")]
    world.wait(WITHIN)
    assert looks_of(one).cameras[1].unshown == 0


def test_a_program_of_another_wire_has_video_where_that_is_allowed_and_is_never_asked_or_counted() -> None:
    world = Looking()
    page, program = world.open(), world.open()
    program.session.way = PROGRAM
    world.send(page, type="find", mode="video", snaps=True)
    world.send(program, type="find", mode="video")
    world.send(page, type="signal", description=ANSWER)
    for _ in range(4):
        page.take()
        world.wait(max(0.0, due(world)))
        snaps_of = [frame for frame in page.take() if frame["type"] == "snap"]
        assert [frame["mine"] for frame in snaps_of] == [False]
        world.send(page, type="nosnap", nonce=snaps_of[0]["nonce"], why="camera")
    assert "snap" not in kinds(program.log)
    assert len(world.engine._core.pauses) == 0
    strict = Looking(snap_programs=False)
    wire = strict.open()
    wire.session.way = PROGRAM
    wire.take()
    assert bare(strict.send(wire, type="find", mode="video")) == [error("snaps", of="find")]
    assert kinds(strict.send(wire, type="find")) == ["waiting"]


@pytest.mark.parametrize(
    ("required", "given", "taken"), [(True, False, False), (True, True, True), (False, False, True)]
)
def test_video_without_it_is_refused_where_the_server_requires_it(required: bool, given: bool, taken: bool) -> None:
    world = Looking(snaps_required=required)
    wire = world.open()
    wire.take()
    answer = bare(world.send(wire, type="find", mode="video", snaps=given))
    assert (answer == [error("snaps", of="find")]) is not taken
    world.engine.change_pictures(0.0)
    assert kinds(world.send(wire, type="find", mode="video", snaps=given)) == ["waiting"], "nobody looks at present"


def test_a_refused_search_ends_no_chat_and_changes_nothing_of_it() -> None:
    world = Looking()
    one, two = world.call()
    assert bare(world.send(one, type="find", mode="video")) == [error("snaps", of="find")]
    assert (len(world.looked(one, two)), one.session.snaps) == (2, True)


# bounds


def test_a_tick_begins_so_many_looks_and_the_rest_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_checks, "LOOKS_A_TICK", 2)
    world = Looking()
    for language in ("de", "fr", "sv"):
        world.call(language=language)
    world.engine.tick(world.now)
    assert len(world.asked) == 2
    assert world.engine.due() == world.now
    world.engine.tick(world.now)
    assert len(world.asked) == 3


def test_entries_of_what_is_due_and_nonces_stay_few() -> None:
    world = Looking()
    one, two = world.call()
    for _ in range(300):
        (chat,) = world.engine._snaps._chats.values()
        assert chat.looks is not None
        world.engine._snaps._plan(chat, chat.looks, world.now + 1_000.0)
    assert len(world.engine._snaps._heap) <= camera_checks.SLACK + 8
    world.engine._snaps._plan(chat, looks_of(one), world.now)
    for _ in range(20):
        world.clean(*world.looked(one, two, after=max(0.0, due(world))))
    assert (len(looks_of(one).nonces), len(world.engine._snaps._asked) <= 8) == (8, True)
    world.send(one, type="leave")
    assert (world.engine._snaps.due(), len(world.engine._snaps._heap)) == (None, 0)
    world.wait(SIGHT_FOR + WITHIN)
    assert len(world.engine._snaps._asked) == 0


def test_what_is_counted() -> None:
    world = Looking()
    one, two = world.call()
    world.clean(*world.looked(one, two))
    misses(world, one, two, (("mine", "hidden"), BOTH), 1)
    tally = world.engine.tally
    assert {name: tally[name] for name in tally if name.startswith(("snap", "agreement", "veil"))} == {
        "snap asked": 4, "snap answered": 3, "snap clean": 2, "agreement agrees": 2, "snap nosnap": 1, "snap missed": 1,
    }  # fmt: skip


# over a day

NUDITY_LIMIT = LIMITS[NUDITY].case


def shows(world: Looking, person: int, stranger: int) -> tuple[Wire, Wire]:
    """A call in which the stranger sees one hit and presses Next; the wires of both."""
    wires = world.call(person, stranger)
    shower, other = wires if wires[0].session.identity == person else wires[::-1]
    nonces = world.looked(*wires)
    world.says(nonces[wires.index(other)], "theirs", "hit")
    assert veils(other.take()) == [(True, "nudity")]
    world.send(other, type="leave")
    return shower, other


def test_hits_in_three_chats_of_a_day_are_a_case_whoever_pressed_next() -> None:
    told: list[tuple[int, str, int]] = []
    world = Looking(detected=lambda *row: told.append(row))
    for number in range(NUDITY_LIMIT + 1):
        assert len(world.acts()) == max(0, number - NUDITY_LIMIT + 1)
        shower, other = shows(world, 7, 20 + number)
        world.lose(shower, LEFT), world.lose(other, LEFT)
    assert [(what.found, len(what.earlier)) for _, what in world.acts()] == [(NUDITY, 2), (NUDITY, 3)]
    assert {row[:2] for row in told} == {(7, NUDITY)}
    assert len({row[2] for row in told}) == NUDITY_LIMIT + 1
    assert world.told_off == []


def test_hits_of_other_processes_count_and_those_of_yesterday_do_not() -> None:
    world = Looking()
    world.engine.daily.enter(7, [[NUDITY, 1, 0.0], [NUDITY, 2, 86_000.0]], world.now)
    shows(world, 7, 20)
    assert [what.found for _, what in world.acts()] == [NUDITY]
    world.kept.clear()
    world.engine.daily.enter(8, [[NUDITY, 1, 0.0], [NUDITY, 2, 86_401.0]], world.now)
    shows(world, 8, 21)
    assert world.acts() == []


def test_a_chat_that_made_a_case_makes_none_again_where_its_hits_are_confirmed() -> None:
    world = Looking(veil=PAUSE)
    world.engine.daily.enter(7, [[NUDITY, 1, 0.0], [NUDITY, 2, 0.0]], world.now)
    wires = world.call(7, 20)
    shower, other = wires if wires[0].session.identity == 7 else wires[::-1]
    hits(world, other, shower, ("open",), True, 1)
    assert ([what.found for _, what in world.acts()], world.told_off) == ([NUDITY], [])
    hits(world, other, shower, ("agrees",), True, 1)
    assert ([what.found for _, what in world.acts()], world.told_off) == ([NUDITY], [(7, PAUSED_FOR)])


def test_the_frame() -> None:
    assert snap("n" * 22, False) == (
        b'{"type":"snap","nonce":"nnnnnnnnnnnnnnnnnnnnnn","tiles":3,"gap":250,"mine":false,"within":8}'
    )
