"""Run fuzz targets in Python: a seeded mutator with a corpus and a dictionary, and the process that feeds one target.

**Invariant:** the same seed gives the same inputs, which depend on random numbers and the target's results only. A target is a module with
`fuzz(data: bytes) -> Hashable`, which raises documented errors only and returns what it saw; `WORDS`, its dictionary; and a folder
`corpus/NAME/` beside it. An input with a new result joins the corpus of the run; there is no other guidance. (Guidance by coverage, as in
atheris, needs compiled modules built by clang, and then not under gcc's sanitizers, for which these targets are.) Each input is on disk
before it is tried, so that one that ends the process is known.
"""

import importlib
import random
import resource
import sys
import time
from collections.abc import Hashable, Sequence
from pathlib import Path
from types import ModuleType

MOST = 4096  # bytes of an input
POOL = 2_000  # inputs that a run keeps
MEMORY = 2 << 30  # bytes of resident memory at the end; more is a leak, since targets keep nothing


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

    def keep(self, data: bytes) -> None:
        """Keep an input with a new result as a model for others. A full pool drops one at random."""
        if len(self._pool) < POOL:
            self._pool.append(data)
        else:
            self._pool[self._dice.randrange(POOL)] = data

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


def kept(target: Path) -> list[Path]:
    """Return the corpus files of a target, fixed findings included."""
    return sorted((target.parent / "corpus" / target.stem.removeprefix("fuzz_")).glob("*"))


def module_of(target: Path, root: Path) -> ModuleType:
    """Import the module of a target's file."""
    return importlib.import_module(".".join(target.relative_to(root).with_suffix("").parts))


def feed(module: ModuleType, corpus: Sequence[bytes], seconds: float, seed: int, current: Path) -> int:
    """Try the corpus and mutations of it for `seconds`; return the number of inputs. Exceptions of the target pass through."""
    mutator = Mutator(random.Random(seed), corpus, module.WORDS)
    seen: set[Hashable] = set()
    left, until, runs = list(corpus), time.monotonic() + seconds, 0
    with current.open("wb", buffering=0) as place:
        while left or time.monotonic() < until:
            data = left.pop() if left else mutator.next()
            place.seek(0)
            place.truncate()
            place.write(data)
            said = module.fuzz(data)
            runs += 1
            if said not in seen:
                seen.add(said)
                mutator.keep(data)
    return runs


def main(words: Sequence[str]) -> int:
    """Run one target in this process: `python -m tests.support.fuzzing ROOT TARGET SECONDS SEED CURRENT FILE…`."""
    root, target, seconds, seed, current = (
        Path(words[0]),
        Path(words[1]),
        float(words[2]),
        int(words[3]),
        Path(words[4]),
    )
    corpus = [Path(name).read_bytes() for name in words[5:]]
    runs = feed(module_of(target, root), corpus, seconds, seed, current)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{runs} executions, {used >> 20} MiB")
    return 1 if used > MEMORY else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
