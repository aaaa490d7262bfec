"""What the server and the picture process say to each other, packed. Rule: each side believes nothing that the other says before it was looked at.

A job: kind, number, whether a report asks, a score that somebody else gave (or none), frames, and a JPEG. An answer: the same number, a verdict,
numbers, a tag and thumbs. What begins with a brace is a word of the process about itself, as JSON.
"""

import math
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from server.trust.evidence.case_pictures import BYTES
from server.trust.pictures.scene_agreement import THUMB

STRIP: Final = (320, 720)  # pixels: TILES of TILE below each other
TILE: Final = (320, 240)
TILES: Final = 3
BODY_MAX: Final = BYTES
STILL_MAX: Final = 128 * 1024  # bytes of what nobody asked for (`server.site.omegle.picture_uploads`)
STILL_PIXELS: Final = 4 * 640 * 480
FRAMES_MAX: Final = 16  # below each other in one of these
TAG_MAX: Final = 128  # bytes

CLEAN: Final = "clean"
UNSURE: Final = "unsure"
HIT: Final = "hit"
UNDECIDED: Final = "undecided"  # too dark, too plain, or no picture
VERDICTS: Final = (CLEAN, UNSURE, HIT, UNDECIDED)

JUDGE: Final = 1  # kinds of jobs
THUMBS: Final = 2
UNASKED: Final = 3  # a verdict alone
UNSCORED: Final = -1.0
QUALITY_MAX: Final = 100
SECONDS_MAX: Final = 3600.0

_JOB: Final = struct.Struct("<BI?fB")
_ANSWER: Final = struct.Struct("<BIBBffBB")
_FIRST: Final = 1  # byte of an answer; words of the process begin with a brace
JOB_MAX: Final = _JOB.size + STILL_MAX
ANSWER_MAX: Final = 8 * 1024  # bytes, words of the process as well


class Job(NamedTuple):
    """`number` ties the answer to it; `reported`: look for known pictures, whatever the score; `score`: 0 to 1, or UNSCORED: find it; `frames`: of
    an UNASKED one, how many pictures are below each other in it."""

    kind: int
    number: int
    reported: bool
    score: float
    body: bytes
    frames: int = 1


class Judged(NamedTuple):
    """What came of a strip, or of one's own tile (then `verdict` says nothing). `score`: 0 to 1, UNSCORED where nothing was scored; `quality`: 0
    to 100; `thumbs`: THUMB bytes each, none where it was no picture; `tag`: of the listed picture that it is, or ""; `seconds`: of work."""

    verdict: str
    score: float
    quality: int
    thumbs: Sequence[bytes]
    tag: str
    seconds: float


def pack_job(job: Job) -> bytes:
    """For the process."""
    return _JOB.pack(job.kind, job.number, job.reported, job.score, job.frames) + job.body


def unpack_job(data: bytes) -> Job:
    """Raises ValueError where it is none."""
    if not _JOB.size < len(data) <= JOB_MAX:
        raise ValueError("no job")
    kind, number, reported, score, frames = _JOB.unpack_from(data)
    body = data[_JOB.size :]
    if len(body) > (STILL_MAX if kind == UNASKED else BODY_MAX) or not 0 < frames <= FRAMES_MAX:
        raise ValueError("a job out of range")
    return Job(kind, number, reported, score, body, frames)


def pack_answer(number: int, judged: Judged) -> bytes:
    """For the server."""
    tag = judged.tag.encode()
    verdict = VERDICTS.index(judged.verdict)
    head = _ANSWER.pack(
        _FIRST, number, verdict, judged.quality, judged.score, judged.seconds, len(tag), len(judged.thumbs)
    )
    return b"".join((head, tag, *judged.thumbs))


def unpack_answer(data: bytes) -> tuple[int, Judged]:
    """The number of the job, and what came of it. Raises ValueError where anything of it is out of shape or range."""
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
