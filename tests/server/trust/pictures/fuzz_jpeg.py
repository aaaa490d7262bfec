"""Fuzz what reads heads of JPEGs and the messages of the picture process, with Pillow for the size. Also a target of `make fuzz`."""

import re
from collections.abc import Hashable
from contextlib import suppress
from io import BytesIO

from PIL import Image

from server.trust.pictures.jpeg_header import is_bare, size
from server.trust.pictures.picture_process_codec import (
    CLEAN,
    JUDGE,
    THUMB,
    Job,
    Judged,
    is_sent_size,
    pack_answer,
    pack_job,
    unpack_answer,
    unpack_job,
)

WORDS = (
    b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xda", b"\xff\xc0", b"\xff\xc2", b"\xff\xe0\x00\x10JFIF\0", b"\xff\xfe\x00\x02", b"\xff\xdb", b"\xff\xc4",
    b"\xff\xdd\x00\x04\0\0", b"\x00\x0b\x08", b"\x00\x11\x08", b"\xff\xff", b"\xff\x00", b"\xff\xd0", b"\0\0", b"\x01", b"\x7f\xc0\0\0",
    b"\0\0\x80\xbf",
)  # fmt: skip


def _saved(**how: object) -> bytes:
    made = BytesIO()
    Image.new("RGB", (24, 16), (20, 90, 160)).save(made, "JPEG", **how)
    return made.getvalue()


def seeds() -> list[bytes]:
    """Return small JPEGs of several kinds, a job and an answer."""
    bodies = [
        _saved(),
        _saved(quality=5),
        _saved(progressive=True),
        _saved(comment=b"here"),
        _saved(icc_profile=b"x" * 40),
    ]
    messages = [
        pack_job(Job(JUDGE, 7, False, 0.5, b"picture")),
        pack_answer(7, Judged(CLEAN, 0.25, 80, (bytes(THUMB),), "list", 0.5)),
        pack_answer(8, Judged(CLEAN, -1.0, 0, (), "", 0.0)),
    ]
    return [*bodies, *messages]


def enter(data: bytes) -> Hashable:
    """Read the input as a picture, a job and an answer; what is read is written as it was."""
    found = size(data)
    assert found is None or (0 < found[0] < 65_536 and 0 < found[1] < 65_536)
    bare = is_bare(data)
    kinds = []
    with suppress(ValueError):
        job = unpack_job(data)
        kinds.append("job")
        assert unpack_job(pack_job(job)).body == job.body
    with suppress(ValueError):
        number, judged = unpack_answer(data)
        kinds.append("answer")
        assert unpack_answer(pack_answer(number, judged)) == (number, judged)
    return found is not None, bare, is_sent_size(found), *kinds


frames = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]").findall


def by_pillow(data: bytes) -> tuple[int, int] | None:
    """Return the size that Pillow reads; None if it refuses the head."""
    try:
        with Image.open(BytesIO(data), formats=["JPEG"]) as picture:
            return picture.size
    except Exception:  # noqa: BLE001 - it refuses in many ways
        return None


def fuzz(data: bytes) -> Hashable:
    """Compare the size with Pillow's, if it reads the head at all. Of several frames Pillow takes the last one; `picture_verdict` refuses these."""
    said = enter(data)
    found, known = size(data), by_pillow(data)
    assert found is None or known is None or found == known or len(frames(data)) > 1
    return said
