"""Draw pictures of whole numbers, the same on every machine and for each version of every library: no floating point, no decoder."""

from random import Random

import numpy as np
from numpy.typing import NDArray

KINDS = ("blocks", "noise", "product", "xor", "ramp", "bars")
SIZES = ((240, 320), (320, 240), (64, 64), (480, 640), (57, 33), (128, 200), (5, 7), (301, 299))  # rows, columns


def pattern(kind: str, rows: int, columns: int, seed: int) -> NDArray[np.uint8]:
    """Return rows × columns × 3 colours."""
    random = Random(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    if kind == "blocks":
        side = random.randint(3, 40)
        coarse = drawn(random, rows // side + 1, columns // side + 1)
        return coarse[y // side, x // side]
    if kind == "noise":
        return drawn(random, rows, columns)
    a, b, c = (random.randint(1, 9) for _ in range(3))
    values = {
        "product": (x * y * a // 16 + b * x, x * y // 32 * b, y * y * c // 8),
        "xor": ((x * a) ^ (y * b), (x * b) ^ (y * c), (x ^ y) * a),
        "ramp": (x * 255 // columns, y * 255 // rows, (x * a + y * b) * 255 // (a * columns + b * rows)),
        "bars": (x // (4 * a) % 2 * 255, y // (4 * b) % 2 * 200, (x + y) // (4 * c) % 2 * 255),
    }[kind]
    return np.stack(values, axis=2).astype(np.uint8)


def drawn(random: Random, rows: int, columns: int) -> NDArray[np.uint8]:
    """Return a generator's bytes."""
    return np.frombuffer(random.randbytes(rows * columns * 3), np.uint8).reshape(rows, columns, 3)
