"""Lock the data folder with a file lock: serving processes share the lock, and a restore holds it exclusively.

**Invariant:** the lock ends with its process.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.data.errors import Busy
from server.ops.security.secret_keys import sync_folder

NAME = "lock"
RESTORING = (
    "restoring"  # a file that exists from the first write of a whole restore until its end; it has the backup's name
)
INTERRUPTED = "a restore of {} was not finished: call it again (serendip backup restore)"


def share(data: Path) -> int:
    """Take a share of the lock to serve from this folder; return the descriptor that holds it. Raises Busy, OSError."""
    descriptor = _locked(data, fcntl.LOCK_SH, "the data folder is being restored")
    if begun := restore_begun(data):
        os.close(descriptor)
        raise Busy(INTERRUPTED.format(begun))
    return descriptor


@contextmanager
def alone(data: Path, why: str = "a server runs on this data folder: stop it first") -> Iterator[None]:
    """Hold the lock alone, so that no process serves from this folder. Raises Busy with the reason `why`, OSError."""
    descriptor = _locked(data, fcntl.LOCK_EX, why)
    try:
        yield
    finally:
        os.close(descriptor)


def restore_begun(data: Path) -> str:
    """Return the name of the backup whose restore into this folder is not finished, or nothing."""
    try:
        return (data / RESTORING).read_text()
    except FileNotFoundError:
        return ""


def begin_restore(data: Path, name: str) -> None:
    """Note durably that a restore of this backup begins. Call it under `alone`."""
    (data / RESTORING).touch(0o600)
    with (data / RESTORING).open("w") as file:
        file.write(name)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(data)


def end_restore(data: Path) -> None:
    """Note that it is finished."""
    (data / RESTORING).unlink()
    sync_folder(data)


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
