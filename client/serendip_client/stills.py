"""Take still pictures of a video call on the server's request: one of the partner's video as received, one of the own video as sent.

Only the last frame of each video is kept. A picture is scaled to fit a tile of 320 × 240 pixels, not cropped, not mirrored, and padded with black,
as the web page does. Needs the extra `video` (PyAV).
"""

import asyncio
import fractions
import time
from collections.abc import Sequence
from typing import Final

from av import CodecContext, VideoFrame

from serendip_client.events import Snap
from serendip_client.pictures import Shown
from serendip_client.protocol import SNAP_BYTES, SNAP_TILE

WIDE, HIGH = SNAP_TILE
SCALES: Final = (4, 8, 16, 31)  # quantiser scales, the best first: the first that is small enough is used
STALE: Final = 2.0  # seconds without a frame of the partner, after which their camera counts as off
LOOK: Final = 0.05  # seconds between two checks for a frame
JPEG: Final = "yuvj420p"
BLACK: Final = (0, 128, 128)


class Stills:
    """Callback for `Client(pictures=…)`, or of a `Peer`. Pass it frames: `theirs` of the partner's, `mine` of the own."""

    def __init__(self) -> None:
        self._theirs: VideoFrame | None = None
        self._seen = 0.0  # monotonic seconds of its arrival
        self._mine: VideoFrame | None = None

    def theirs(self, frame: VideoFrame) -> None:
        """Note a received frame."""
        self._theirs, self._seen = frame, time.monotonic()

    def mine(self, frame: VideoFrame) -> None:
        """Note a sent frame."""
        self._mine = frame

    def forget(self) -> None:
        """Forget the frames of a call that has ended."""
        self._theirs = self._mine = None

    def _waits(self, asked: Snap) -> bool:
        """Whether a first frame is missing that the request needs."""
        return self._theirs is None or (asked.mine and self._mine is None)

    async def __call__(self, asked: Snap) -> Shown:
        """Answer a request; wait for the first frames, a little less than the server does."""
        until = time.monotonic() + 0.8 * asked.within
        while self._waits(asked) and time.monotonic() < until:  # noqa: ASYNC110 - frames have no event
            await asyncio.sleep(LOOK)
        own = await asyncio.to_thread(packed, [self._mine]) if asked.mine and self._mine is not None else None
        tiles: list[VideoFrame] = []
        for place in range(asked.tiles):
            if place:
                await asyncio.sleep(asked.gap / 1000)
            if self._theirs is None or time.monotonic() - self._seen > STALE:
                return Shown(None, own, "early" if self._theirs is None else "camera")
            tiles.append(self._theirs)
        return Shown(await asyncio.to_thread(packed, tiles), own, "camera")


def packed(frames: Sequence[VideoFrame]) -> bytes | None:
    """Encode frames below each other, one tile each, as JPEG; None if that exceeds SNAP_BYTES bytes."""
    whole = VideoFrame(WIDE, HIGH * len(frames), JPEG)
    tiles = [_fitted(frame) for frame in frames]
    for at, plane in enumerate(whole.planes):
        part = 1 if at == 0 else 2  # colour planes have half the lines, of half the length
        lines = bytearray([BLACK[at]]) * plane.buffer_size
        for place, tile in enumerate(tiles):
            source, width = tile.planes[at], tile.width // part
            body, top = bytes(source), (place * HIGH + (HIGH - tile.height) // 2) // part
            for line in range(tile.height // part):
                begin = (top + line) * plane.line_size + (WIDE - tile.width) // 2 // part
                lines[begin : begin + width] = body[line * source.line_size : line * source.line_size + width]
        plane.update(bytes(lines))
    return next((body for scale in SCALES if len(body := _jpeg(whole, scale)) <= SNAP_BYTES), None)


def _fitted(frame: VideoFrame) -> VideoFrame:
    """Scale a frame to fit a tile; sides are multiples of four, so that colour planes stay aligned."""
    scale = min(WIDE / frame.width, HIGH / frame.height)
    width, height = (max(4, int(side * scale) // 4 * 4) for side in (frame.width, frame.height))
    return frame.reformat(width=width, height=height, format=JPEG)


def _jpeg(whole: VideoFrame, scale: int) -> bytes:
    codec = CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = whole.width, whole.height, JPEG
    codec.time_base = fractions.Fraction(1, 30)
    codec.qmin = codec.qmax = scale
    whole.pts = 0
    return b"".join(bytes(packet) for packet in [*codec.encode(whole), *codec.encode(None)])
