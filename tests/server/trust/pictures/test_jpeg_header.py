"""Test the size in a JPEG's head: of canvases' output, and of nothing else; no bytes raise."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from server.trust.pictures.jpeg_header import SEGMENTS, is_bare, size
from tests.support import scenes

PICTURE = scenes.scene(0)
GOOD = scenes.jpeg(PICTURE)


def saved(kind: str, picture: Image.Image = PICTURE, **how: object) -> bytes:
    made = BytesIO()
    picture.save(made, kind, **how)
    return made.getvalue()


@pytest.mark.parametrize("width_height", [(320, 720), (320, 240), (1, 1), (65_500, 2)])
def test_the_size_is_that_of_the_picture(width_height: tuple[int, int]) -> None:
    assert size(saved("JPEG", Image.new("RGB", width_height, (20, 90, 160)))) == width_height


@pytest.mark.parametrize(
    "body",
    [
        saved("JPEG", PICTURE.convert("L")),
        saved("JPEG", quality=95, subsampling=0, optimize=True),
        saved("JPEG", comment=b"x" * 60_000),
        saved(
            "JPEG", comment=b"\xff\xda\xff\xd9\xff\xc0" * 9, icc_profile=b"\xff\xda" * 500
        ),  # in a segment it says nothing
    ],
    ids=["grey", "fine", "long comment", "markers in a comment"],
)
def test_other_ways_of_a_browser_are_taken(body: bytes) -> None:
    assert size(body) == (320, 240)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff",
        saved("PNG"),
        saved("GIF"),
        saved("JPEG", progressive=True),
        saved("JPEG", PICTURE.convert("CMYK")),
        GOOD[:-2],  # cut
        GOOD + b"PK",  # something behind it
        GOOD[:200] + b"\xff\xd9",
        GOOD[:-2] + 4 * b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\xff\xd9",  # scan over scan
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * SEGMENTS + GOOD[2:],
        b"\xff\xd8" + b"\xff\xe0\x00\x01" + GOOD[2:],  # a length that is none
        b"\xff\xd8\xff\xe0\xff\xff\xff\xd9",  # one that ends behind the end
    ],
)
def test_what_is_anything_else_has_none(body: bytes) -> None:
    assert size(body) is None


@pytest.mark.parametrize(
    ("at", "value"), [(2, b"\x0c"), (3, b"\x00\x00"), (5, b"\x00\x00"), (7, b"\x04"), (0, b"\x00\x05")]
)
def test_a_frame_that_cannot_be_has_none(at: int, value: bytes) -> None:
    frame = GOOD.index(b"\xff\xc0") + 2
    body = bytearray(GOOD)
    body[frame + at : frame + at + len(value)] = value
    assert size(GOOD) is not None
    assert size(bytes(body)) is None


def test_no_cut_of_one_has_a_size() -> None:
    assert {size(GOOD[:end]) for end in range(len(GOOD) - 1)} == {None}


@given(st.binary(max_size=400), st.integers(0, 700))
def test_no_bytes_make_it_fail(noise: bytes, at: int) -> None:
    for body in (noise, b"\xff\xd8\xff" + noise + b"\xff\xd9", GOOD[:at] + noise + GOOD[at + len(noise) :]):
        found = size(body)
        assert found is None or min(found) > 0


@pytest.mark.parametrize(
    "body",
    [GOOD, saved("JPEG", PICTURE.convert("L")), saved("JPEG", quality=95, subsampling=0, optimize=True)],
    ids=["usual", "grey", "fine"],
)
def test_a_jpeg_with_nothing_but_its_picture_is_bare(body: bytes) -> None:
    assert is_bare(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        GOOD[:200],
        GOOD[:-2],
        saved("JPEG", comment=b"x"),
        saved("JPEG", icc_profile=b"x" * 200),
        saved("JPEG", exif=b"Exif\0\0MM"),
        GOOD + b"PK",
        GOOD[:-2] + b"\xff\xd9PK\xff\xd9",
        GOOD[:-2] + b"\xff\xfe\x00\x03x\xff\xd9",
        GOOD[:4] + b"\x00\x12" + GOOD[6:20] + b"\x00\x00" + GOOD[20:],
    ],
    ids=[
        "nothing",
        "head",
        "cut",
        "comment",
        "profile",
        "exif",
        "behind",
        "behind its end",
        "comment behind",
        "long JFIF",
    ],
)
def test_a_jpeg_with_more_is_not(body: bytes) -> None:
    assert not is_bare(body)


@given(st.binary(max_size=400))
def test_no_bytes_raise_in_the_walk(body: bytes) -> None:
    is_bare(body)
    is_bare(GOOD[:2] + body)
    is_bare(GOOD[: len(GOOD) // 2] + body + GOOD[-2:])
