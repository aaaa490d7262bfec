"""Compare the open descriptors of a process. Invariant: a descriptor is identified by its file, so that a test that leaves one can name it."""

import gc
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path


def opened() -> Counter[str]:
    """Return the files of this process's descriptors, with their number; garbage is collected first."""
    gc.collect()
    return _behind()


def _behind() -> Counter[str]:
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the descriptor used for listing
            found[str(Path("/proc/self/fd", name).readlink())] += 1
    return found


def more_than(before: Counter[str]) -> Counter[str]:
    """Return the files that are open now and were not before, so that an assertion shows them alone."""
    return (_behind() - before) and opened() - before  # garbage is collected only if there is a difference
