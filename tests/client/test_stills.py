"""Test still pictures of a call: tiles as the server accepts them, of the newest frames; a missing picture is reported."""

import asyncio
from io import BytesIO
from random import Random

import pytest
from av import VideoFrame
from PIL import Image

from serendip_client import Shown, Snap
from serendip_client.protocol import SNAP_BYTES
from serendip_client.stills import HIGH, WIDE, Stills, packed
from server.trust.pictures import jpeg_header

ASKED = Snap("n" * 22, 3, 10, True, 8)


def frame(grey: int, width: int = 160, height: int = 120) -> VideoFrame:
    """One colour."""
    made = VideoFrame(width, height, "yuv420p")
    for plane, value in zip(made.planes, (grey, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return made


def opened(body: bytes | None) -> Image.Image:
    assert body is not None
    assert len(body) <= SNAP_BYTES
    return Image.open(BytesIO(body)).convert("L")


def light(picture: Image.Image, x: int, y: int) -> int:
    found = picture.getpixel((x, y))
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize(
    ("width", "height", "black"),
    [(160, 120, ()), (640, 480, ()), (640, 360, ((160, 10), (160, 230))), (90, 160, ((20, 120), (300, 120)))],
)
def test_all_of_a_frame_is_in_its_tile_and_the_rest_is_black(
    width: int, height: int, black: tuple[tuple[int, int], ...]
) -> None:
    body = packed([frame(40, width, height), frame(120, width, height), frame(200, width, height)])
    picture = opened(body)
    assert body is not None
    assert jpeg_header.size(body) == picture.size == (WIDE, 3 * HIGH), "as the server wants it"
    lights = [light(picture, WIDE // 2, HIGH // 2 + place * HIGH) for place in range(3)]
    assert 10 < lights[0] < 60 < lights[1] < 160 < lights[2]
    for x, y in black:
        assert [light(picture, x, y + place * HIGH) < 8 for place in range(3)] == [True] * 3


async def test_the_newest_frames_are_given_a_gap_apart_and_one_s_own_at_once() -> None:
    stills = Stills()
    stills.mine(frame(200))
    giving = asyncio.create_task(stills(ASKED))
    await asyncio.sleep(0)
    for grey in range(40, 240, 4):
        if giving.done():
            break
        stills.theirs(frame(grey))
        await asyncio.sleep(0.01)
    shown = await giving
    strip = opened(shown.theirs)
    lights = [light(strip, WIDE // 2, HIGH // 2 + place * HIGH) for place in range(3)]
    assert lights == sorted(set(lights)), "three moments"
    assert shown.mine is not None
    assert jpeg_header.size(shown.mine) == (WIDE, HIGH)
    assert light(opened(shown.mine), WIDE // 2, HIGH // 2) > 180


async def test_what_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stills = Stills()
    assert await stills(Snap("n", 3, 1, True, 0.05)) == Shown(None, None, "early")
    stills.theirs(frame(100))
    shown = await stills(Snap("n", 3, 1, False, 8))
    assert (shown.theirs is not None, shown.mine) == (True, None)
    monkeypatch.setattr("serendip_client.stills.STALE", -1.0)
    assert await stills(Snap("n", 3, 1, False, 8)) == Shown(None, None, "camera"), "their camera went off"
    stills.forget()
    assert await stills(Snap("n", 3, 1, True, 0.05)) == Shown(None, None, "early")


def test_what_packs_badly_is_made_coarser_and_noise_alone_is_too_much() -> None:
    made, random = frame(128, WIDE, HIGH), Random(7)
    made.planes[0].update(random.randbytes(made.planes[0].buffer_size))
    body = packed([made])
    assert body is not None
    assert 20_000 < len(body) <= SNAP_BYTES
    assert packed([made] * 3) is None
