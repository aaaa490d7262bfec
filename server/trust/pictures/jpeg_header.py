"""Read the size and the segments of a JPEG, without decoding it.

**Invariant:** any input takes a bounded number of steps, and none raises. Only JPEGs as browsers' canvases write them are accepted.
"""

import re
from typing import Final

SEGMENTS: Final = 64  # before the frame; browsers write 5 to 10
SCANS: Final = 3  # one, or one a component
_START: Final = b"\xff\xd8\xff"
_END: Final = b"\xff\xd9"
_SCAN: Final = b"\xff\xda"  # within a scan FF is followed by 00, so this sequence cannot occur there
_BASELINE: Final = 0xC0
# frames of another kind
_OTHERS: Final = frozenset((*range(0xC1, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
# markers that are invalid before the frame, or end the head
_WITHOUT_LENGTH: Final = frozenset((0x00, 0x01, *range(0xD0, 0xDB)))
_JFIF: Final = 0xE0
_JFIF_BODY: Final = 14  # bytes: without a small picture inside
_SCAN_MARKER: Final = 0xDA
_TABLES: Final = frozenset((0xDB, 0xC4, 0xDD))  # of quantisation, Huffman codes, restart interval
_next_marker = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.S).search  # after the data of a scan
_FRAME_MIN: Final = 11  # bytes: length, precision, height, width, one component


def size(body: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels; None for another kind of JPEG, or without a frame or an end. Never raises.

    Accepted are one frame, not progressive, eight bits, one or three components. Many scans over one frame would take a decoder seconds for a few
    kilobytes.
    """
    if not body.startswith(_START) or not body.endswith(_END):
        return None
    at, end = 2, len(body)
    for _ in range(SEGMENTS):
        if at + 4 > end or body[at] != 0xFF:
            return None
        marker = body[at + 1]
        length = int.from_bytes(body[at + 2 : at + 4])
        if marker == _BASELINE:
            scans = body.count(_SCAN, at + 2 + length)  # not before: a colour profile may hold these bytes
            return _frame(body[at + 2 : at + 2 + length], length) if 1 <= scans <= SCANS else None
        if marker in _OTHERS or marker in _WITHOUT_LENGTH or marker == 0xFF or length < 2:
            return None
        at += 2 + length
    return None


def is_bare(body: bytes) -> bool:
    """Whether a JPEG that `size` accepts has nothing but its picture: no comment, no segment of an application but JFIF's, nothing after its end.

    So it names neither a camera nor a place.
    """
    at, end = 2, len(body)
    for _ in range(SEGMENTS):
        if at + 4 > end or body[at] != 0xFF:
            return False
        marker, length = body[at + 1], int.from_bytes(body[at + 2 : at + 4])
        known = marker in _TABLES or marker in (_BASELINE, _SCAN_MARKER)
        jfif = marker == _JFIF and length == _JFIF_BODY + 2 and body[at + 4 : at + 9] == b"JFIF\0"
        if not (known or (jfif and body[at + 16 : at + 18] == b"\0\0")) or length < 2 or at + 2 + length > end:
            return False
        at += 2 + length
        if marker == _SCAN_MARKER:
            found = _next_marker(body, at)
            if found is None:
                return False
            at = found.start()
            if body[at : at + 2] == _END:
                return at + 2 == end
    return False


def _frame(header: bytes, length: int) -> tuple[int, int] | None:
    """Return the size in a complete frame header."""
    if length < _FRAME_MIN or len(header) != length:
        return None
    precision, components = header[2], header[7]
    height, width = int.from_bytes(header[3:5]), int.from_bytes(header[5:7])
    if precision != 8 or components not in (1, 3) or length != 8 + 3 * components or not width or not height:
        return None
    return width, height
