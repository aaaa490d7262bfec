"""Provide what fuzz targets and their tests share: decisions read from bytes, and a seeded mutator for tests without a clang.

**Invariant:** the same seed gives the same inputs. (`make fuzz` mutates by coverage and by cost: `tests/fuzz/`.)
"""

import random
from collections.abc import Sequence

MOST = 4096  # bytes of an input


class Choices:
    """Decisions read from bytes, for targets that perform actions: after the last byte all are 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def byte(self) -> int:
        """Return a number from 0 to 255."""
        found = self._data[self._at] if self else 0
        self._at += 1
        return found

    def bytes(self, most: int) -> bytes:
        """Return as many bytes as the next one says, at most `most`; numbers from 128 on are scaled so that long results are frequent."""
        size = self.byte()
        size = size if size < 128 else 1 << (size - 128) % 18
        found = self._data[self._at : self._at + min(size, most)]
        self._at += len(found)
        return found + found[:1] * (min(size, most) - len(found)) if found else b""


class Mutator:
    """Makes inputs from `corpus` and `words`; an empty corpus contains the empty input."""

    def __init__(self, dice: random.Random, corpus: Sequence[bytes], words: Sequence[bytes], most: int = MOST) -> None:
        self._dice = dice
        self._pool = list(corpus) or [b""]
        self._words = list(words) or [b"\0"]
        self._most = most

    def next(self) -> bytes:
        """Return an input of at most `most` bytes."""
        dice = self._dice
        if dice.random() < 0.02:
            return dice.randbytes(dice.randrange(1, dice.choice((8, 64, self._most))))
        data = bytearray(dice.choice(self._pool))
        for _ in range(1 << dice.randrange(5)):
            self._change(data)
        return bytes(data[: self._most])

    def _change(self, data: bytearray) -> None:
        dice = self._dice
        at = dice.randrange(len(data) + 1)
        end = min(len(data), at + dice.choice((1, 2, 4, 16, 64)))
        match dice.randrange(9):
            case 0:
                data[at:at] = dice.choice(self._words)
            case 1:
                data[at:end] = dice.choice(self._words)
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = dice.randbytes(dice.randrange(1, 5))
            case 4 if at < len(data):
                data[at] ^= 1 << dice.randrange(8)
            case 5 if at < len(data):
                data[at] = dice.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, dice.randrange(256)))
            case 6:
                data[at:at] = data[at:end] * dice.choice((1, 2, 40))
            case 7:
                other = dice.choice(self._pool)
                start = dice.randrange(len(other) + 1)
                data[at:end] = other[start : start + dice.choice((4, 32, 256))]
            case _:
                start = dice.randrange(len(data) + 1)
                data[at:at] = data[start : start + end - at]
        del data[2 * self._most :]
