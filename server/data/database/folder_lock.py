"""Lock the data folder with a file lock: serving processes share the lock, and a restore holds it exclusively.

**Invariant:** the lock ends with its process.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.data.errors import Busy

NAME = "lock"


def share(data: Path) -> int:
    """Take a share of the lock to serve from this folder; return the descriptor that holds it. Raises Busy, OSError."""
    return _locked(data, fcntl.LOCK_SH, "the data folder is being restored")


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the lock alone, so that no process serves from this folder. Raises Busy, OSError."""
    descriptor = _locked(data, fcntl.LOCK_EX, "a server runs on this data folder: stop it first")
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(data: Path, how: int, otherwise: str) -> int:
    descriptor = os.open(data / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Busy(otherwise) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
