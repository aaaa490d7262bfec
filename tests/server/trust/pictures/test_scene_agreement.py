"""Test likeness of thumbs: the same scene agrees, another differs, a plain one decides nothing."""

from io import BytesIO
from itertools import permutations
from math import isclose

import pytest
from PIL import Image, ImageEnhance

from server.trust.pictures.scene_agreement import AGREES, DIFFERS, OPEN, SIDE, THUMB, agreement, likeness
from tests.support import scenes


def thumb(picture: Image.Image) -> bytes:
    return picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()


def sent(picture: Image.Image, by: int = 0) -> Image.Image:
    """As it comes out of a call: moved a little, smaller for a while, darker."""
    moved = picture.transform(picture.size, Image.Transform.AFFINE, (1, 0, by, 0, 1, 0), fillcolor=(90, 90, 90))
    small = moved.resize((160, 120)).resize(picture.size)
    return Image.open(BytesIO(scenes.jpeg(ImageEnhance.Brightness(small).enhance(0.8), 30)))


THUMBS = [thumb(scenes.scene(number)) for number in range(scenes.SCENES)]
PLAIN = bytes([90]) * THUMB


@pytest.mark.parametrize("number", range(scenes.SCENES))
def test_a_scene_agrees_with_itself_through_a_call(number: int) -> None:
    theirs = [thumb(sent(scenes.scene(number), by)) for by in (9, 4, 0)]
    assert agreement(theirs, THUMBS[number]) == AGREES


def test_two_scenes_differ() -> None:
    for one, other in permutations(THUMBS, 2):
        assert agreement([one] * 3, other) == DIFFERS


def test_the_best_tile_decides() -> None:
    assert agreement([THUMBS[1], THUMBS[2], THUMBS[0]], THUMBS[0]) == AGREES


def test_what_lies_between_is_open_and_the_bounds_are_given() -> None:
    mixed = bytes((a + b) // 2 for a, b in zip(THUMBS[0], THUMBS[2], strict=True))
    like = likeness(mixed, THUMBS[0])
    assert like is not None
    assert agreement([mixed], THUMBS[0], agree=like + 0.01, differ=like - 0.01) == OPEN
    assert agreement([mixed], THUMBS[0], agree=like, differ=0.0) == AGREES
    assert agreement([mixed], THUMBS[0], agree=1.0, differ=like) == DIFFERS


@pytest.mark.parametrize(
    ("theirs", "mine", "said"),
    [
        ([], THUMBS[0], OPEN),
        (THUMBS[:1], None, OPEN),
        (THUMBS[:1], b"", OPEN),
        ([THUMBS[0][:-1]], THUMBS[0], OPEN),
        ([b"", THUMBS[0]], THUMBS[0], AGREES),
        ([PLAIN], PLAIN, OPEN),  # two dark rooms
        ([PLAIN], bytes([93]) * THUMB, OPEN),
        ([THUMBS[0]], PLAIN, DIFFERS),  # a wall is given for a scene
        ([PLAIN], THUMBS[0], DIFFERS),
        ([PLAIN, THUMBS[0]], THUMBS[0], AGREES),
    ],
)
def test_what_is_missing_or_shows_nothing(theirs: list[bytes], mine: bytes | None, said: str) -> None:
    assert agreement(theirs, mine) == said


def test_likeness_is_the_correlation() -> None:
    assert isclose(likeness(THUMBS[0], THUMBS[0]) or 0, 1.0)
    assert isclose(likeness(THUMBS[0], bytes(255 - grey for grey in THUMBS[0])) or 0, -1.0)
    assert isclose(likeness(THUMBS[0], bytes(grey // 2 + 40 for grey in THUMBS[0])) or 0, 1.0, abs_tol=1e-3)
