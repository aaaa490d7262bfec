"""Test the real model's verdicts on seeded pictures, and matches with lists. No picture here shows a person."""

import os
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from server.trust.pictures import pdq
from server.trust.pictures.pdq import BYTES, hashed
from server.trust.pictures.picture_hash_lists import Known
from server.trust.pictures.picture_process_codec import (
    CLEAN,
    HIT,
    JUDGE,
    STILL_PIXELS,
    THUMBS,
    UNASKED,
    UNDECIDED,
    UNSCORED,
    UNSURE,
    Job,
    Judged,
)
from server.trust.pictures.picture_verdict import STILL, Judge, Limits
from server.trust.pictures.scene_agreement import AGREES, THUMB, agreement
from tests.server.trust.pictures.running import harmless, own
from tests.support import scenes

LIMITS = Limits(hit=0.8, unsure=0.3, quality=50)
NOBODY = Known(np.zeros((0, BYTES), np.uint8), [])


@pytest.fixture(scope="module")
def judge() -> Judge:
    made = Judge(LIMITS, NOBODY)
    made.warm()
    return made


def strip(*tiles: Image.Image) -> bytes:
    return scenes.jpeg(scenes.strip(*tiles))


def judged(judge: Judge, body: bytes, reported: bool = False, score: float = UNSCORED) -> Judged:
    return judge.do(Job(JUDGE, 1, reported, score, body))


def lists(*tiles: Image.Image) -> Known:
    """Of pictures as they come through JPEG."""
    made = [hashed(np.asarray(Image.open(BytesIO(scenes.jpeg(tile, 85))))).hash for tile in tiles]
    return Known(np.frombuffer(b"".join(made), np.uint8).reshape(-1, BYTES), [f"tag{at}" for at in range(len(made))])


@pytest.mark.parametrize("number", range(scenes.SCENES))
def test_a_harmless_scene_is_clean(judge: Judge, number: int) -> None:
    seen = judged(judge, harmless(number))
    assert seen.verdict == CLEAN
    assert 0 <= seen.score < 0.01
    assert seen.quality >= LIMITS.quality
    assert [len(thumb) for thumb in seen.thumbs] == [THUMB] * 3
    assert seen.tag == ""


def test_blobs_in_skin_tones_are_a_hit_to_the_model(judge: Judge) -> None:
    seen = judged(judge, strip(scenes.blobs()))
    assert seen.score >= 0.8
    assert seen.verdict == HIT
    assert seen.quality >= LIMITS.quality


def test_one_picture_of_three_is_no_hit(judge: Judge) -> None:
    blobs, room = scenes.blobs(), scenes.scene(1)
    assert judged(judge, strip(room, blobs, room)).verdict == CLEAN
    assert judged(judge, strip(blobs, room, blobs)).verdict == CLEAN  # the middle one is asked first
    assert judged(judge, strip(room, blobs, blobs)).verdict == HIT


@pytest.mark.parametrize(
    ("score", "verdict"), [(0.0, CLEAN), (0.25, CLEAN), (0.3125, UNSURE), (0.75, UNSURE), (0.8125, HIT), (1.0, HIT)]
)
def test_a_score_of_somebody_else_decides_where_there_is_one(judge: Judge, score: float, verdict: str) -> None:
    seen = judged(judge, harmless(), score=score)
    assert (seen.score, seen.verdict) == (score, verdict)


def exposed(picture: Image.Image, share: float) -> Image.Image:
    """A picture in less light, as a camera gives it: with noise, which the same seed repeats."""
    noise = np.random.default_rng(7).normal(0, 2, (scenes.TILE[1], scenes.TILE[0], 3))
    return Image.fromarray(np.clip(np.asarray(picture) * share + noise, 0, 255).astype(np.uint8))


def test_black_and_plain_pictures_are_not_judged(judge: Judge) -> None:
    plain = [Image.new("RGB", scenes.TILE, colour) for colour in ((8, 8, 10), (60, 45, 34), (205, 155, 118))]
    for picture in (*plain, exposed(scenes.scene(0), 0.02)):
        for score in (UNSCORED, 1.0):
            seen = judged(judge, strip(picture), score=score)
            assert (seen.verdict, seen.score) == (UNDECIDED, UNSCORED)
            assert seen.quality < LIMITS.quality
            assert len(seen.thumbs) == 3


def test_a_dark_picture_is_judged_once_more_brightened(judge: Judge) -> None:
    for share, verdict in (
        (0.25, HIT),
        (0.12, UNSURE),
    ):  # in an eighth of the light the model sees less, whatever is done
        dark = exposed(scenes.blobs(), share)
        seen = judged(judge, strip(dark))
        assert seen.verdict == verdict
        still = judge.do(Job(UNASKED, 1, False, UNSCORED, stacked(dark), 1))
        assert still.verdict == verdict
    as_it_is = judge._model.classify(Image.open(BytesIO(scenes.jpeg(dark)))).nsfw
    assert (seen.quality < LIMITS.quality, as_it_is < 0.1) == (True, True)


@pytest.mark.parametrize("number", range(scenes.SCENES))
def test_a_harmless_scene_in_little_light_is_clean(judge: Judge, number: int) -> None:
    for share in (0.25, 0.12, 0.08):
        seen = judged(judge, strip(exposed(scenes.scene(number), share)))
        assert seen.verdict == CLEAN
        assert seen.score < 0.05


def test_one_s_own_tile_is_a_thumb_that_agrees_with_the_strip(judge: Judge) -> None:
    mine = judge.do(Job(THUMBS, 1, False, UNSCORED, own(3)))
    assert len(mine.thumbs) == 1
    assert mine.quality >= 50
    assert agreement(judged(judge, harmless(3)).thumbs, mine.thumbs[0]) == AGREES


def test_a_listed_picture_is_known_where_it_was_reported_or_is_not_clean() -> None:
    listed = Judge(LIMITS, lists(scenes.scene(2), scenes.scene(4)))
    other, known = scenes.scene(0), scenes.scene(4)
    assert judged(listed, strip(known)).tag == ""  # clean, and nobody reported it
    assert judged(listed, strip(known), score=0.3125).tag == "tag1"
    for tiles in ((known, other, other), (other, known, other), (other, other, known)):
        assert judged(listed, strip(*tiles), reported=True).tag == "tag1"
    assert judged(listed, strip(other), reported=True).tag == ""


def test_a_picture_of_no_quality_is_not_known() -> None:
    dark = scenes.scene(0).point(lambda grey: grey // 12)
    assert judged(Judge(LIMITS, lists(dark)), strip(dark), reported=True).tag == ""


def stacked(*frames: Image.Image, size: tuple[int, int] = scenes.TILE) -> bytes:
    """As an old client uploads some."""
    made = Image.new("RGB", (size[0], size[1] * len(frames)))
    for at, frame in enumerate(frames):
        made.paste(frame.resize(size), (0, at * size[1]))
    return scenes.jpeg(made)


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (640, 360), (640, 480)])
def test_a_still_of_any_size_has_a_verdict_and_nothing_else(judge: Judge, size: tuple[int, int]) -> None:
    blobs, room = scenes.blobs(), scenes.scene(1)
    for frames, verdict in (
        ((blobs,), HIT),
        ((room,), CLEAN),
        ((room, blobs, room), HIT),
        ((blobs, room, blobs), CLEAN),
    ):
        seen = judge.do(Job(UNASKED, 1, True, UNSCORED, stacked(*frames, size=size), len(frames)))
        assert (seen.verdict, seen.thumbs, seen.tag) == (verdict, (), "")
    assert Image.MAX_IMAGE_PIXELS != STILL_PIXELS, "strips have their own bound"


def test_what_is_no_still_is_undecided(judge: Judge) -> None:
    nothing = (UNDECIDED, UNSCORED, 0, (), "", 0.0)
    bodies = [BROKEN[name] for name in ("nothing", "noise", "png", "bmp", "a bomb", "progressive", "cut")]
    bodies.append(stacked(*[scenes.scene(0)] * 5, size=(640, 480)))  # more pixels than one may have
    for body in bodies:
        assert judge.do(Job(UNASKED, 1, False, UNSCORED, body))._replace(seconds=0.0) == nothing
    low = stacked(scenes.scene(0))
    assert judge.do(Job(UNASKED, 1, False, UNSCORED, low, 16))._replace(seconds=0.0) == nothing  # frames of 15 pixels
    dark = judge.do(Job(UNASKED, 1, False, UNSCORED, scenes.jpeg(Image.new("RGB", scenes.TILE))))
    assert (dark.verdict, dark.score) == (UNDECIDED, UNSCORED)


def test_sizes_of_stills_leave_nothing_behind(judge: Judge) -> None:
    pdq._steps.cache_clear()
    for side in range(64, 84):
        judge.do(Job(UNASKED, 1, False, UNSCORED, stacked(scenes.scene(0), size=(side, side))))
    assert pdq._steps.cache_info().currsize <= 2


def saved(kind: str, size: tuple[int, int], **how: object) -> bytes:
    made = BytesIO()
    scenes.scene(0).resize(size).save(made, kind, **how)
    return made.getvalue()


BROKEN = {
    "nothing": b"",
    "noise": bytes(range(256)) * 40,
    "png": saved("PNG", (320, 720)),
    "bmp": saved("BMP", (320, 720)),
    "another size": saved("JPEG", (320, 240)),
    "a bomb": harmless().replace(b"\x08\x02\xd0\x01\x40", b"\x08\x1f\x40\x1f\x40"),  # says that it is 8000 by 8000
    "progressive": saved("JPEG", (320, 720), progressive=True),
    "cut": harmless()[: len(harmless()) // 2],
    "a head alone": harmless()[:700] + b"\xff\xd9",
    "another size below": harmless().replace(b"\x08\x02\xd0\x01\x40", b"\x08\x02\xd1\x01\x40"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_strip_is_undecided(judge: Judge, name: str) -> None:
    for kind in (JUDGE, THUMBS):
        seen = judge.do(Job(kind, 1, True, UNSCORED, BROKEN[name]))
        if (kind, name) == (THUMBS, "another size"):
            assert len(seen.thumbs) == 1  # it is that of a tile
        elif (kind, name) == (JUDGE, "a head alone"):
            assert seen.tag == ""
        else:
            assert seen._replace(seconds=0.0) == (UNDECIDED, UNSCORED, 0, (), "", 0.0)


def test_its_runtime_is_told_to_tell_nobody(judge: Judge) -> None:
    assert os.environ[STILL[0]] == STILL[1]
