"""The lock on the data folder: who serves shares it, who replaces what lies in it has it alone. Rule: it ends with the process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.data.errors import Busy

NAME = "lock"


def share(data: Path) -> int:
    """A server serves from this folder, beside others that do; the descriptor that holds the lock. Raises Busy, OSError."""
    return _locked(data, fcntl.LOCK_SH, "the data folder is being restored")


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Nobody serves from this folder meanwhile. Raises Busy, OSError."""
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
