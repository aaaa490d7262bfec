"""What a process has open. Rule: a descriptor is known by what is behind it, so that a test which leaves one says which."""

import gc
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path


def opened() -> Counter[str]:
    """What is behind this process's descriptors, and how often; without those of what is over and was not collected yet."""
    gc.collect()
    return _behind()


def _behind() -> Counter[str]:
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one by which they are listed
            found[str(Path("/proc/self/fd", name).readlink())] += 1
    return found


def more_than(before: Counter[str]) -> Counter[str]:
    """What is open that was not, so that a test which asserts that it is nothing shows that alone."""
    return (_behind() - before) and opened() - before  # what is over is looked for where there is something
