"""Who gives no pictures, or forged ones: what each costs whom, on the wire (`engine.chats.camera_checks`)."""

import pytest

from engine.conduct.detection_consequences import Act
from engine.wire.protocol import SNAP_NONCE
from engine.wire.rule_constants import OFF, ON, REPORTS, SIGHT_FOR
from tests.engine.looking import BOTH, WITHIN, Looking, due, hits, kinds, looks_of, misses, veils
from tests.engine.world import bare, error

# what is missing


@pytest.mark.parametrize(
    ("one", "two", "off"),
    [
        (BOTH, BOTH, ()),
        # a receiver that withholds, whatever it says
        (("mine",), BOTH, (0,)),
        (("mine", "hidden"), BOTH, (0,)),
        (("mine", "camera"), BOTH, (0,)),
        # a sender that withholds
        (("theirs",), BOTH, (0,)),
        (("theirs", "camera"), BOTH, (0,)),
        ((), ("theirs",), (0, 1)),
        # cameras that are off, and a call that did not come about
        (("theirs", "camera"), ("mine", "camera"), ()),
        (("camera",), ("camera",), ()),
        (("mine", "early"), ("mine", "early"), ()),
        # somebody who says nothing at all costs the other, who gives what there is, nothing
        (("mine", "camera"), (), (1,)),
    ],
)
def test_three_in_a_row_put_video_off_for_who_could_have_given_them(
    one: tuple[str, ...], two: tuple[str, ...], off: tuple[int, ...]
) -> None:
    world = Looking()
    wires = world.call(7, 8)
    misses(world, *wires, (one, two), 2)
    assert [veils(wire.log) for wire in wires] == [[], []]
    misses(world, *wires, (one, two), 1)
    assert [veils(wire.log) for wire in wires] == [[(True, "unchecked")] if off else []] * 2
    for side, wire in enumerate(wires):
        answer = world.find(wire)
        if side in off:
            assert bare([answer]) == [error("snaps", of="find", retry_after=600)]
        else:
            assert answer["type"] == "waiting"
            world.send(wire, type="leave")
    assert world.acts() == [], "nobody is told of anything: it is no offence"


def test_video_that_is_off_leaves_the_text_and_comes_back() -> None:
    world = Looking()
    one, two = world.call(7, 8)
    misses(world, one, two, (("mine",), BOTH))
    assert (len(world.engine._snaps), world.engine._snaps.due()) == (0, None)
    one.take(), two.take()
    world.say(one, "and by text?")
    assert kinds(two.take()) == ["message"]
    assert bare(world.send(two, type="signal", candidate=None)) == [error("bad_type", of="signal")]
    world.send(two, type="report", reason="other")
    world.wait(60.0)
    assert len(world.asked) == 3, "there is nothing to look at"
    assert kinds(world.send(one, type="find", language="de")) == ["waiting"]
    refused = world.find(one)
    assert (refused["code"], refused["retry_after"]) == ("snaps", 540)
    world.wait(541.0)
    assert world.find(one)["type"] == "waiting"


@pytest.mark.parametrize("pictures", [ON, OFF])
def test_an_operator_s_pause_ends_a_call_and_a_search_for_video_and_leaves_the_text(pictures: str) -> None:
    world = Looking(pictures=pictures)
    one, two = world.call(7, 8)
    world.engine.pause_video(one.session, 600.0, world.now)
    ended = {"type": "veil", "on": True, "why": "unchecked", "by": "operator"}
    assert [[frame for frame in wire.take() if frame["type"] == "veil"] for wire in (one, two)] == [[ended]] * 2
    assert world.told_off == [(one.session.identity, 600.0)]
    world.say(one, "and by text?")
    assert kinds(two.take()) == ["message"]
    assert bare(world.send(two, type="signal", candidate=None)) == [error("bad_type", of="signal")]
    refused = error("snaps", of="find", retry_after=600)
    assert bare([world.find(one)]) == [refused]
    three, four = world.open(9), world.open(10)
    assert world.find(three)["type"] == "waiting"
    assert kinds(world.send(four, type="find", language="de"))[-1] == "waiting"
    for wire in (three, four):
        world.engine.pause_video(wire.session, 600.0, world.now)
    assert (bare(three.take()), four.take()) == ([refused], [])
    assert world.find(world.open(11))["type"] == "waiting", "nobody is left who waits for video"


def test_a_picture_that_is_given_begins_the_count_anew() -> None:
    world = Looking()
    one, two = world.call()
    for given in (("mine",), BOTH, ("mine",)):
        misses(world, one, two, (given, BOTH), 2)
    assert veils(one.log) == []
    misses(world, one, two, (("theirs",), BOTH), 2)
    misses(world, one, two, (("mine",), BOTH), 2)
    assert veils(one.log) == [], "of either by itself"


@pytest.mark.parametrize("when", ["before", "while", "again"])
def test_nothing_is_counted_of_a_look_at_which_one_of_the_two_was_away(when: str) -> None:
    world = Looking()
    one, two = world.call()
    for _ in range(2 if when == "before" else 4):
        if when == "before":
            world.lose(two)
            world.wait(4.0)
            two = world.resume(two)
        world.wait(max(0.0, due(world)))
        one.take(), two.take()
        if when != "before":
            world.lose(two)
            if when == "again":
                two = world.resume(two)
        world.wait(WITHIN)
        if when == "while":
            two = world.resume(two)
    cameras = looks_of(one).cameras
    counts = [(camera.unseen, camera.unshown) for camera in cameras]
    assert counts == ([(2, 2), (2, 2)] if when == "before" else [(0, 0), (0, 0)])


def test_who_is_away_is_looked_at_when_they_are_back() -> None:
    world = Looking()
    _, two = world.call()
    world.lose(two)
    world.wait(7.0)
    assert world.asked == []
    two = world.resume(two)
    world.wait(3.0)
    assert len(world.asked) == 1
    assert "snap" in kinds(two.take())


def test_a_chat_that_ended_meanwhile_counts_nothing() -> None:
    world = Looking()
    one, two = world.call()
    world.looked(one, two)
    world.send(one, type="leave")
    world.wait(WITHIN)
    assert world.engine.tally.get("snap missed", 0) == 0
    assert (len(world.engine._snaps), world.engine._snaps.due(), two.session.past.chat.looks) == (0, None, None)  # type: ignore[union-attr]


# what is seen


def test_a_hit_veils_the_receiver_alone_and_the_next_look_comes_soon() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    world.says(nonces[0], *BOTH)
    world.says(nonces[1], *BOTH)
    world.draws = [0.0]
    world.says(nonces[0], "hit")
    assert (veils(one.take()), veils(two.take())) == ([(True, "nudity")], [])
    assert due(world) == pytest.approx(3.0)
    again = world.looked(one, two, after=3.0)
    world.says(again[1], *BOTH)
    world.draws = [0.999]
    world.says(again[0], *BOTH, "hit")
    assert due(world) == pytest.approx(6.0, abs=0.01)
    assert veils(one.take()) == [], "it is on already: who chose to look is not covered again"
    assert world.acts() == []


def test_three_clean_ones_take_it_away() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    world.says(nonces[0], *BOTH, "hit")
    world.clean(nonces[1])
    one.take()
    for place in range(3):
        world.clean(*world.looked(one, two, after=due(world)))
        assert veils(one.take()) == ([(False, "nudity")] if place == 2 else [])


def test_in_the_mode_of_reports_a_veil_is_looked_at_until_it_goes() -> None:
    world = Looking(pictures=REPORTS)
    one, two = world.call()
    world.send(one, type="report", reason="nudity")
    nonces = world.looked(one, two)
    world.says(nonces[0], *BOTH, "hit")
    world.clean(nonces[1])
    for _ in range(3):
        world.clean(*world.looked(one, two, after=due(world)))
    assert veils(one.log) == [(True, "nudity"), (False, "nudity")]
    before = len(world.asked)
    world.wait(3_600.0)
    assert len(world.asked) == before + 1, "the one that was drawn while it was on"


NUDITY, DIFFERS = (1, Act("nudity", 1, 0)), (1, Act("differs", 1, 0))
SPLICED = "a splice onto the real scene agrees: a person sees both pictures"
HOSTILE: list[tuple[str, tuple[str, ...], bool, list[tuple[int, Act]]]] = [
    ("the sender shows it, and does not hide that", ("agrees",), True, [NUDITY]),
    ("the sender fakes its own picture", ("differs",), True, [DIFFERS]),
    ("the sender withholds its own picture", (), False, [NUDITY]),
    ("the receiver forges another scene", ("differs",), True, [DIFFERS]),
    (SPLICED, ("agrees",), True, [NUDITY]),
    ("neither says anything of the other", ("open",), True, []),
]


@pytest.mark.parametrize(("given", "mine", "acts"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_hostile_client_brings_a_veil_and_what_people_look_at_once_and_no_more(
    given: tuple[str, ...], mine: bool, acts: list[tuple[int, Act]]
) -> None:
    world = Looking()
    one, two = world.call(7, 8)
    hits(world, one, two, given, mine, 1)
    assert world.acts() == [act for act in acts if act == DIFFERS]
    hits(world, one, two, given, mine, 1)
    world.wait(0.0 if mine else WITHIN)
    assert world.acts() == acts
    hits(world, one, two, given, mine, 2 if mine else 0)
    assert world.acts() == acts, "once a chat and camera"
    assert veils(one.log) == [(True, "nudity")]
    assert veils(two.log) == []
    assert kinds(two.log).count("left") == 0
    assert len(world.engine._core.pauses) == 0


def test_both_who_collude_are_not_found_and_harm_nobody() -> None:
    world = Looking()
    one, two = world.call()
    for _ in range(5):
        world.clean(*world.looked(one, two, after=max(0.0, due(world))))
    assert (world.acts(), veils(one.log)) == ([], [])


@pytest.mark.parametrize("what", ["theirs", "mine", "hit", "differs", "known", "nonsense"])
def test_foreign_replayed_and_late_nonces_are_passed_over(what: str) -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    world.says("x" * SNAP_NONCE, what)
    world.says("", what)
    world.clean(*nonces)
    one.take()
    state = [camera.hits for camera in looks_of(one).cameras]
    for nonce in nonces:
        world.says(nonce, *(what for what in (what,) if what != "known"))
    assert [camera.hits for camera in looks_of(one).cameras] == state
    world.wait(WITHIN + SIGHT_FOR + 1)
    world.says(nonces[0], what)
    assert (world.acts(), veils(one.log)) == ([], [])


def test_no_snap_of_somebody_elses_nonce_is_passed_over_and_the_first_reason_counts() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    assert world.send(two, type="nosnap", nonce=nonces[0], why="camera") == []
    assert world.send(two, type="nosnap", nonce="nobody's", why="camera") == []
    assert world.send(one, type="nosnap", nonce=nonces[0], why="hidden") == []
    assert world.send(one, type="nosnap", nonce=nonces[0], why="camera") == []
    look, side = world.engine._snaps._asked.get(nonces[0])
    assert (side, look.asks[0].why, look.asks[1].why) == (0, "hidden", "")
    assert world.engine.tally["snap nosnap"] == 1


def test_a_listed_picture_is_told_once_and_behind_the_end_too() -> None:
    world = Looking()
    one, two = world.call()
    nonces = world.looked(one, two)
    world.says(nonces[0], "theirs")
    world.send(two, type="leave")
    world.says(nonces[0], "known", "hit", "known")
    assert world.acts() == [(1, Act("known", 1, 0))]
    assert veils(one.log) == [], "there is nobody to blur any more"
    world.wait(SIGHT_FOR + WITHIN + 1)
    assert len(world.engine._snaps._asked) == 0


def test_where_nothing_is_kept_people_are_told_of_nothing_and_the_veil_is_the_same() -> None:
    world = Looking(keeps=False, veil="pause")
    one, two = world.call()
    hits(world, one, two, ("agrees",), True, 4)
    assert (world.kept, veils(one.log), len(world.engine._core.pauses)) == ([], [(True, "nudity")], 0)


@pytest.mark.parametrize(
    ("veil", "told", "hung_up", "refused"),
    [("none", [], False, False), ("veil", [(True, "nudity")], False, False), ("pause", [(True, "nudity")], True, True)],
)
def test_what_a_program_may_do_is_the_operators_choice(
    veil: str, told: list[tuple[bool, str]], hung_up: bool, refused: bool
) -> None:
    world = Looking(veil=veil)
    one, two = world.call(7, 8)
    hits(world, one, two, ("agrees",), True)
    assert world.acts() == [NUDITY]
    end = [(True, "unchecked")] if hung_up else []
    assert (veils(one.log), veils(two.log)) == (told + end, end)
    answer = world.find(two)
    assert (answer.get("code"), answer.get("retry_after")) == (("snaps", 3_600) if refused else (None, None))
    assert world.find(one)["type"] != "error"
