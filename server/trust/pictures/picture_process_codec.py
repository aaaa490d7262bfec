"""Encode and decode the messages between the server and the picture process: jobs, and their results.

**Invariant:** each side validates the other's messages.
"""

import math
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from engine.wire.protocol import SENT_BYTES, SENT_LEAST, SENT_SIDE, SNAP_BYTES, SNAP_TILE, SNAP_TILES
from server.trust.pictures.scene_agreement import THUMB

TILE: Final = SNAP_TILE
TILES: Final = SNAP_TILES
STRIP: Final = (TILE[0], TILE[1] * TILES)  # pixels: TILES of TILE, stacked
BODY_MAX: Final = SNAP_BYTES
STILL_MAX: Final = 128 * 1024  # bytes of an unrequested picture (`server.site.omegle.picture_uploads`)
STILL_PIXELS: Final = 4 * 640 * 480
SENT_MAX: Final = SENT_BYTES  # bytes of a picture that a user sends the partner
FRAMES_MAX: Final = 16  # stacked in an unrequested picture
TAG_MAX: Final = 128  # bytes

CLEAN: Final = "clean"
UNSURE: Final = "unsure"
HIT: Final = "hit"
UNDECIDED: Final = "undecided"  # too dark, too plain, or no picture
VERDICTS: Final = (CLEAN, UNSURE, HIT, UNDECIDED)

JUDGE: Final = 1  # kinds of jobs
THUMBS: Final = 2
UNASKED: Final = 3  # a verdict alone
SENT: Final = 4  # a verdict, and a match with the lists
UNSCORED: Final = -1.0
QUALITY_MAX: Final = 100
SECONDS_MAX: Final = 3600.0

_JOB: Final = struct.Struct("<BI?fB")
_ANSWER: Final = struct.Struct("<BIBBffBB")
_FIRST: Final = 1  # byte of an answer; a status begins with a brace
MOST: Final = {JUDGE: BODY_MAX, THUMBS: BODY_MAX, UNASKED: STILL_MAX, SENT: SENT_MAX}  # bytes of a picture, by kind
JOB_MAX: Final = _JOB.size + max(MOST.values())
ANSWER_MAX: Final = 8 * 1024  # bytes, of a status too


class Job(NamedTuple):
    """A job. `number` is repeated in the answer; `reported`: match the lists, whatever the score; `score`: 0 to 1, or UNSCORED to compute it;
    `frames`: of an UNASKED one, the number of stacked pictures.
    """

    kind: int
    number: int
    reported: bool
    score: float
    body: bytes
    frames: int = 1


class Judged(NamedTuple):
    """Result for a strip, or for one's own tile (then `verdict` means nothing). `score`: 0 to 1, or UNSCORED; `quality`: 0 to 100; `thumbs`: THUMB
    bytes each, empty if it is no picture; `tag`: of the matching entry of a list, or ""; `seconds`: of work.
    """

    verdict: str
    score: float
    quality: int
    thumbs: Sequence[bytes]
    tag: str
    seconds: float


def is_sent_size(size: tuple[int, int] | None) -> bool:
    """Whether a picture for the partner may have this size in pixels."""
    return size is not None and max(size) <= SENT_SIDE and min(size) >= SENT_LEAST


def pack_job(job: Job) -> bytes:
    """Return a job as bytes."""
    return _JOB.pack(job.kind, job.number, job.reported, job.score, job.frames) + job.body


def unpack_job(data: bytes) -> Job:
    """Return the job in bytes. Raises ValueError."""
    if not _JOB.size < len(data) <= JOB_MAX:
        raise ValueError("no job")
    kind, number, reported, score, frames = _JOB.unpack_from(data)
    body = data[_JOB.size :]
    if len(body) > MOST.get(kind, BODY_MAX) or not 0 < frames <= FRAMES_MAX:
        raise ValueError("a job out of range")
    return Job(kind, number, reported, score, body, frames)


def pack_answer(number: int, judged: Judged) -> bytes:
    """Return an answer as bytes."""
    tag = judged.tag.encode()
    verdict = VERDICTS.index(judged.verdict)
    head = _ANSWER.pack(
        _FIRST, number, verdict, judged.quality, judged.score, judged.seconds, len(tag), len(judged.thumbs)
    )
    return b"".join((head, tag, *judged.thumbs))


def unpack_answer(data: bytes) -> tuple[int, Judged]:
    """Return (number of the job, result). Raises ValueError for any wrong shape or range.

    A message that begins with a brace is no answer, but a status of the process, as JSON.
    """
    if len(data) < _ANSWER.size or len(data) > ANSWER_MAX:
        raise ValueError("no answer")
    first, number, verdict, quality, score, seconds, tagged, thumbs = _ANSWER.unpack_from(data)
    at = _ANSWER.size
    if first != _FIRST or tagged > TAG_MAX or thumbs > TILES or len(data) != at + tagged + thumbs * THUMB:
        raise ValueError("an answer of another shape")
    if verdict >= len(VERDICTS) or quality > QUALITY_MAX or not (0 <= score <= 1 or score == UNSCORED):
        raise ValueError("an answer out of range")
    if not (math.isfinite(seconds) and 0 <= seconds <= SECONDS_MAX):
        raise ValueError("an answer out of time")
    tag = data[at : at + tagged].decode()
    if not (tag.isprintable() or not tag):
        raise ValueError("a tag that is none")
    at += tagged
    parts = tuple(data[begin : begin + THUMB] for begin in range(at, len(data), THUMB))
    return number, Judged(VERDICTS[verdict], score, quality, parts, tag, seconds)
