"""Test messages of the picture process: there and back, and nothing of another shape is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.trust.pictures.picture_process_codec import (
    ANSWER_MAX,
    BODY_MAX,
    CLEAN,
    FRAMES_MAX,
    HIT,
    JUDGE,
    STILL_MAX,
    TAG_MAX,
    THUMBS,
    TILES,
    UNASKED,
    UNDECIDED,
    UNSCORED,
    Job,
    Judged,
    pack_answer,
    pack_job,
    unpack_answer,
    unpack_job,
)
from server.trust.pictures.scene_agreement import THUMB

FULL = Judged(HIT, 0.75, 100, tuple(bytes([at]) * THUMB for at in range(TILES)), "é" * (TAG_MAX // 2), 0.5)
PACKED = pack_answer(123, FULL)  # 123: its first byte is a brace


@pytest.mark.parametrize(
    "job",
    [
        Job(JUDGE, 2**32 - 1, True, 0.25, b"x" * BODY_MAX),
        Job(THUMBS, 0, False, UNSCORED, b"x"),
        Job(UNASKED, 1, False, UNSCORED, b"x" * STILL_MAX, FRAMES_MAX),
    ],
)
def test_a_job_comes_as_it_was_sent(job: Job) -> None:
    assert unpack_job(pack_job(job)) == job


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 9,
        pack_job(Job(1, 1, False, 0.0, b"")),
        pack_job(Job(1, 1, False, 0.0, b"x" * (BODY_MAX + 1))),
        pack_job(Job(UNASKED, 1, False, 0.0, b"x" * (STILL_MAX + 1))),
        pack_job(Job(UNASKED, 1, False, 0.0, b"x", 0)),
        pack_job(Job(UNASKED, 1, False, 0.0, b"x", FRAMES_MAX + 1)),
    ],
)
def test_what_is_no_job_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        unpack_job(data)


@pytest.mark.parametrize(
    "judged", [FULL, Judged(UNDECIDED, UNSCORED, 0, (), "", 0.0), Judged(CLEAN, 0.0, 50, FULL.thumbs[:1], "a b", 1.0)]
)
def test_an_answer_comes_as_it_was_sent(judged: Judged) -> None:
    assert unpack_answer(pack_answer(123, judged)) == (123, judged)
    assert not pack_answer(123, judged).startswith(b"{")


def test_the_longest_answer_fits() -> None:
    assert len(PACKED) <= ANSWER_MAX


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PACKED[:-1],
        PACKED + b"x",
        b"\x02" + PACKED[1:],
        PACKED[:5] + b"\x04" + PACKED[6:],  # a verdict that there is not
        PACKED[:6] + b"\x65" + PACKED[7:],  # a quality of 101
        pack_answer(1, FULL._replace(score=1.5)),
        pack_answer(1, FULL._replace(score=float("nan"))),
        pack_answer(1, FULL._replace(score=-0.5)),
        pack_answer(1, FULL._replace(seconds=float("inf"))),
        pack_answer(1, FULL._replace(seconds=-1.0)),
        pack_answer(1, FULL._replace(seconds=1e9)),
        pack_answer(1, FULL._replace(tag="x" * (TAG_MAX + 1))),
        pack_answer(1, FULL._replace(tag="a\nb")),
        pack_answer(1, FULL._replace(thumbs=(*FULL.thumbs, FULL.thumbs[0]))),
        PACKED[:17] + b"\xff" + PACKED[18:],  # no UTF-8 in the tag
    ],
)
def test_what_is_out_of_shape_or_range_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        unpack_answer(data)


@given(st.binary(max_size=4200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for message in (data, PACKED[:20] + data):
        try:
            number, judged = unpack_answer(message)
        except ValueError:
            continue
        assert unpack_answer(pack_answer(number, judged)) == (number, judged)
