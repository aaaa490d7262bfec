"""What follows from what pictures show: a pure table, over every order in which it may be known."""

from itertools import permutations

import pytest

from engine.conduct.camera_verdicts import (
    ACTS,
    HITS_APART,
    HITS_KEPT,
    QUICK,
    Camera,
    CameraState,
    CheckResult,
    PictureRequest,
    entered,
    mine_missed,
    theirs_missed,
)


def look(camera: Camera, at: float, verdict: str, agreement: str = "", withheld: bool = False) -> list[str]:
    """One look, in the usual order; what followed."""
    sight = CheckResult(at)
    found = camera.judged(sight, verdict, veils=True)
    if agreement:
        found = found + camera.compared(sight, agreement)
    return found + (camera.held_back(sight) if withheld else [])


def test_what_people_are_told_of_has_bits_that_never_move() -> None:
    """A chat that goes to another process has them as a number."""
    assert ACTS == ("nudity", "differs", "known")


@pytest.mark.parametrize(
    ("first", "second", "apart", "confirmed"),
    [
        (("agrees", False), ("open", False), HITS_APART, True),
        (("open", False), ("agrees", False), HITS_APART, True),
        (("", True), ("", True), HITS_APART, True),
        (("agrees", False), ("agrees", False), HITS_APART - 0.1, False),
        (("open", False), ("open", False), 60.0, False),
        (("", False), ("", False), 60.0, False),
        (("", True), ("open", False), 60.0, False),
        (("", True), ("", False), 60.0, False),
    ],
)
def test_two_hits_are_confirmed_where_they_stand_together(
    first: tuple[str, bool], second: tuple[str, bool], apart: float, confirmed: bool
) -> None:
    camera = Camera()
    assert look(camera, 100.0, "hit", *first) == ["veil", "soon"]
    assert ("nudity" in look(camera, 100.0 + apart, "hit", *second)) is confirmed
    assert look(camera, 200.0, "hit", "agrees").count("nudity") == (0 if confirmed else 1), "once"
    assert look(camera, 300.0, "hit", "agrees") == []


def test_hits_confirm_whatever_lies_between_and_one_never_does() -> None:
    camera = Camera()
    look(camera, 100.0, "hit", "agrees")
    for at in range(120, 180, 20):
        look(camera, float(at), "clean", "agrees")
    assert look(camera, 200.0, "hit") == ["veil", "soon", "nudity"]
    alone = Camera()
    assert [look(alone, at, verdict, "agrees") for at, verdict in ((1.0, "hit"), (9.0, "unsure"), (20.0, "undecided"))] == [
        ["veil", "soon"], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize("verdict", ["hit", "unsure", "clean", "undecided"])
@pytest.mark.parametrize("agreement", ["differs", "open", "agrees"])
def test_one_of_the_two_lies_where_something_may_be_seen_in_whatever_order_it_is_known(
    verdict: str, agreement: str
) -> None:
    expected = agreement == "differs" and verdict in {"hit", "unsure"}
    for order in permutations((0, 1)):
        camera, sight, found = Camera(), CheckResult(1.0), []
        for step in order:
            found += camera.compared(sight, agreement) if step else camera.judged(sight, verdict, veils=True)
        assert ("differs" in found) is expected
        again = look(camera, 50.0, verdict, agreement)
        assert "differs" not in again, "once"


def test_the_first_word_of_a_look_counts() -> None:
    camera, sight = Camera(), CheckResult(1.0)
    assert camera.judged(sight, "clean", veils=True) == []
    assert camera.judged(sight, "hit", veils=True) == []
    assert camera.compared(sight, "agrees") == []
    assert camera.compared(sight, "differs") == []
    assert (camera.hits, camera.cleans, sight.agreement) == ([], 1, "agrees")


@pytest.mark.parametrize("between", ["unsure", "undecided", "hit"])
def test_three_clean_in_a_row_take_the_veil_away(between: str) -> None:
    camera = Camera()
    look(camera, 1.0, "hit")
    for at, verdict in enumerate(("clean", "clean", between, "clean", "clean"), 30):
        assert "unveil" not in look(camera, float(at), verdict)
    assert look(camera, 60.0, "clean") == ["unveil"]
    assert look(camera, 80.0, "clean") == []
    assert look(camera, 90.0, "hit")[0] == "veil", "a new one is veiled again"


def test_where_nothing_is_veiled_nothing_is_taken_away() -> None:
    camera, sight = Camera(), CheckResult(1.0)
    assert camera.judged(sight, "hit", veils=False) == ["soon"]
    assert [look(camera, float(at), "clean") for at in (2, 3, 4)] == [[], [], []]


def test_looks_that_settle_nothing_do_not_go_on_soon_for_ever() -> None:
    camera = Camera()
    soon = ["soon" in look(camera, float(at), "hit", "open") for at in range(20)]
    assert soon == [True] * QUICK + [False] * (20 - QUICK)
    look(camera, 30.0, "clean")
    assert "soon" in look(camera, 40.0, "hit", "open")
    assert len(camera.hits) == HITS_KEPT


def test_a_listed_picture_is_told_once() -> None:
    camera = Camera()
    assert [camera.known(), camera.known()] == [["known"], []]


def given(said: str, owes: bool = True) -> PictureRequest:
    """What one side gave: letters t and m for the pictures, then a reason."""
    ask = PictureRequest("n", owes)
    pictures, _, ask.why = said.partition(" ")
    ask.theirs, ask.mine = "t" in pictures, "m" in pictures
    return ask


@pytest.mark.parametrize(
    ("one", "other", "theirs", "mine"),
    [
        ("tm", "tm", False, False),
        ("tm", "-", False, False),
        # the receiver withholds what is there to be seen
        ("m", "tm", True, False),
        ("-", "tm", True, True),
        ("- hidden", "tm", True, True),
        ("m camera", "m camera", True, False),
        ("m early", "tm", True, False),
        ("m early", "m", True, False),
        # silent, and nothing speaks for it
        ("m", "-", True, False),
        ("-", "-", True, True),
        # the stranger's camera is off, as one of the two says
        ("m", "- camera", None, False),
        ("m", "t camera", None, False),
        ("m camera", "-", None, False),
        ("m early", "t hidden", None, False),
        # the call did not come about
        ("m early", "m early", None, False),
        # the own camera is off, and nothing speaks against it
        ("t camera", "m camera", False, None),
        ("- camera", "- camera", None, None),
        ("t camera", "tm", False, True),
        # the sender withholds its own picture
        ("t", "tm", False, True),
        ("t hidden", "m", False, True),
        ("t early", "-", False, True),
    ],
)  # fmt: skip
def test_who_gave_nothing_is_counted_where_there_was_something_to_give(
    one: str, other: str, theirs: bool | None, mine: bool | None
) -> None:
    assert theirs_missed(given(one), given(other)) is theirs
    assert mine_missed(given(one), given(other)) is mine


@pytest.mark.parametrize(
    ("said", "theirs"), [("t", False), ("-", True), ("- hidden", True), ("- camera", None), ("- early", None)]
)
def test_beside_somebody_who_is_not_asked_the_word_of_the_one_counts_and_nothing_is_owed(
    said: str, theirs: bool | None
) -> None:
    assert theirs_missed(given(said, owes=False), None) is theirs
    assert mine_missed(given(said, owes=False), None) is None


def test_three_in_a_row_of_either_are_too_many() -> None:
    camera = Camera()
    assert [camera.missed(True, False), camera.missed(True, True), camera.missed(None, True)] == [False, False, False]
    assert (camera.unseen, camera.unshown) == (2, 2)
    assert camera.missed(False, None) is False
    assert camera.missed(True, True) is True
    assert (camera.unseen, camera.unshown) == (1, 3)


def test_what_goes_along_is_all_but_what_is_under_way() -> None:
    looks = CameraState()
    assert looks.leave(100.0) == {"cameras": [{}, {}]}
    look(looks.cameras[1], 90.0, "hit", "open", withheld=True)
    look(looks.cameras[1], 98.0, "clean")
    looks.cameras[0].missed(True, None)
    looks.due, looks.ended = 130.0, True
    looks.nonces.append("n")
    record = looks.leave(100.0)
    assert record["cameras"] == [{"unseen": 1}, {"cleans": 1, "veiled": 1, "hits": [(10.0, "open", 1)]}]
    there = entered(record, 1_000.0)
    assert (there.due, there.ended, there.nonces) == (1_030.0, True, [])
    assert there.cameras[1].veiled is True
    assert "nudity" in look(there.cameras[1], 1_000.0, "hit", withheld=True)
