"""Compute PDQ, the perceptual hash by which known pictures are recognised, in numpy. Runs in the picture process (extra `moderation`).

**Invariant:** every bit is equal to the reference implementation's (facebook/ThreatExchange, pdq/cpp).
"""

from functools import cache
from math import cos, pi
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

BITS: Final = 256
BYTES: Final = BITS // 8
SIDE: Final = 64  # pixels a side of the transformed picture
KEPT: Final = 16  # frequencies a direction
PASSES: Final = 2  # of the box filter: a tent
LEAST: Final = 5  # pixels a side
SCALE: Final = 90  # of gradients, to 100 at most

Floats = NDArray[np.float32]


class Hashed(NamedTuple):
    """A hash with its quality. `hash`: BYTES bytes, as the 64 hex digits of a list; `quality`: 0 to 100."""

    hash: bytes
    quality: int


def hashed(pixels: NDArray[np.uint8]) -> Hashed:
    """Return the hash of rows × columns × 3 colours. Raises ValueError for another shape, or fewer than LEAST pixels a side.

    Sums are added in the reference's order, in its 32-bit floats: a box filter is one `cumsum` of the values that enter and leave its window, which
    adds one by one; the transform adds one product after the other.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or min(pixels.shape[:2]) < LEAST:
        raise ValueError("rows × columns × 3 are wanted")
    red, green, blue = (pixels[:, :, colour] for colour in range(3))
    luma = (red * 0.299 + green * 0.587 + blue * 0.114).astype(np.float32)
    small = _small(luma)
    return Hashed(_bits(_frequencies(small)), _quality(small))


def _small(luma: Floats) -> Floats:
    """Filter a picture and sample it to SIDE × SIDE; one of that size is returned unchanged."""
    rows, columns = luma.shape
    if (rows, columns) == (SIDE, SIDE):
        return luma
    for _ in range(PASSES):
        luma = _boxed(luma)  # along each row
        luma = np.ascontiguousarray(_boxed(np.ascontiguousarray(luma.T)).T)
    return luma[np.ix_(_centres(rows), _centres(columns))]


def _centres(length: int) -> list[int]:
    return [int((at + 0.5) * length / SIDE) for at in range(SIDE)]


def _boxed(lines: Floats) -> Floats:
    """Average each line over the window of its length, by a running sum that adds or removes one value a step."""
    at, signs, ends, counts = _steps(lines.shape[1])
    sums = np.cumsum(lines[:, at] * signs, axis=1, dtype=np.float32)
    return sums[:, ends] / counts


@cache
def _steps(length: int) -> tuple[NDArray[Any], Floats, NDArray[Any], Floats]:
    """Return the steps of the running sum over a line of that length: the values to add or remove, the steps after which a mean is written, and the
    number of values in each mean.
    """
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    half = (window + 2) // 2
    at: list[int] = []
    signs: list[float] = []
    ends: list[int] = []
    counts: list[int] = []
    left = right = 0
    for number in range(1 - half, length):  # index of the mean that is written, from 0 on
        if right < length:
            at.append(right)
            signs.append(1.0)
            right += 1
        if number > window - half:
            at.append(left)
            signs.append(-1.0)
            left += 1
        if number >= 0:
            ends.append(len(at) - 1)
            counts.append(right - left)
    return np.array(at), np.array(signs, np.float32), np.array(ends), np.array(counts, np.float32)


@cache
def _cosines() -> Floats:
    scale = float(np.float32((2.0 / SIDE) ** 0.5))
    table = [[scale * cos(pi / 2.0 / SIDE * (i + 1) * (2 * j + 1)) for j in range(SIDE)] for i in range(KEPT)]
    return np.array(table, np.float32)


def _frequencies(small: Floats) -> Floats:
    """Return the first KEPT × KEPT of the discrete cosine transform except the constant ones; each sum in the order of its index."""
    table = _cosines()
    half = np.zeros((KEPT, SIDE), np.float32)
    for k in range(SIDE):
        half += table[:, k : k + 1] * small[k]
    whole = np.zeros((KEPT, KEPT), np.float32)
    for k in range(SIDE):
        whole += half[:, k : k + 1] * table[:, k]
    return whole


def _bits(whole: Floats) -> bytes:
    """Return which frequencies exceed the (lower) median; the first is the last bit."""
    flat = whole.ravel()
    median = np.partition(flat, BITS // 2 - 1)[BITS // 2 - 1]
    return np.packbits((flat > median)[::-1]).tobytes()


def _quality(small: Floats) -> int:
    """Return the sum of significant gradients, in hundredths of full scale."""
    total = 0
    for axis in (0, 1):
        steps = np.diff(small, axis=axis) * np.float32(100) / np.float32(255)
        total += int(np.abs(np.trunc(steps)).sum())
    return min(total // SCALE, 100)
