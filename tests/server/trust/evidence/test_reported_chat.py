"""Test that a report crosses processes whole. Its capture is in `test_service` and `test_kept`."""

import time
from dataclasses import replace

import orjson
import pytest

from engine.conduct.detection_consequences import Act
from server.trust.evidence.chat_evidence import CountedDetection, Detection, Evidence
from server.trust.evidence.reported_chat import of_seat, pack, unpack
from tests.engine.world import World
from tests.server.trust.moderation.people import acted, reported, text

FOUND = replace(text("hello", "buy gold"), found=(Detection(2, 1, "money"), Detection(1, 0, "link")))
COUNTED = replace(FOUND, counted=CountedDetection("hate", (1_700_000_000, 1_700_003_600)))


@pytest.mark.parametrize("said", [None, text("hello", "buy gold"), FOUND, COUNTED])
def test_what_is_packed_is_what_comes_out(said: Evidence | None) -> None:
    for made in (reported(note="sells gold", said=said), acted(said=said)):
        assert unpack(orjson.loads(orjson.dumps(pack(made)))) == made


def test_the_chat_crosses_too_by_which_pictures_are_found_and_an_older_version_sends_none() -> None:
    made = replace(reported(said=FOUND), chat="c0ffee")
    packed = orjson.loads(orjson.dumps(pack(made)))
    assert unpack(packed) == made
    assert unpack(packed[:-1]) == made
    assert unpack(packed[:-2]) == replace(made, chat="")


def test_only_what_the_subject_wrote_speaks_of_them() -> None:
    assert reported(said=FOUND).rules == {"money"}
    assert reported().rules == frozenset()


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        unpack([1, 2])


def test_a_detection_has_the_times_of_the_day_s_other_chats() -> None:
    world = World(keeps=True)
    one, _ = world.pair()
    seat = one.session.seat
    assert seat is not None
    began = time.time() - time.monotonic()
    made = of_seat(seat, Act("nudity", 0, 0, (100.5, 200.5)), "video")
    assert made.said is not None
    assert made.said.counted is not None
    assert made.said.counted.name == "nudity"
    assert [at - began for at in made.said.counted.earlier] == pytest.approx([100.5, 200.5], abs=2.0)
    assert of_seat(seat, Act("nudity", 0, 0), "video").said.counted is None  # type: ignore[union-attr]


def marked(act: Act, said: str) -> list[int]:
    """Lines that a case marks: `said` is the side of each line."""
    world = World(keeps=True)
    wires = world.pair()
    by_side = sorted(wires, key=lambda wire: wire.session.seat.side)  # type: ignore[union-attr]
    for side in said:
        world.say(by_side[int(side)], "hi")
    seat = by_side[0].session.seat
    assert seat is not None
    seat.chat.found = {(0, "groom.pictures"): 2, (1, "age.claim"): 4, (0, "link"): 1}
    evidence = of_seat(seat, act, "text").said
    assert evidence is not None
    return [line.number for line in evidence.lines if line.marked]


def test_a_case_marks_the_lines_without_which_the_detection_cannot_be_judged() -> None:
    assert marked(Act("groom", 0, 2), "000111") == [2, 4]
    assert marked(Act("age.claim", 1, 5), "000111") == [3, 5], "the partner's line before it may have asked for it"
    assert marked(Act("age.claim", 1, 1), "1110") == [1]
    assert marked(Act("hate", 0, 1), "000111") == [1]


def test_a_rule_counts_for_a_report_by_its_class_unless_it_may_be_quoted() -> None:
    found = (Detection(1, 1, "threat.extortion"), Detection(1, 1, "hate.slur"), Detection(1, 1, "nudity"))
    assert reported(said=replace(text("hello"), found=found)).rules == {"threat", "nudity"}
