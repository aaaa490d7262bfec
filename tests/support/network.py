"""Who changes the addresses of this machine waits for the windows, and the windows wait for who does: a browser gives up all that it loads
when an address comes or goes (`net::ERR_NETWORK_CHANGED`).

Rule: a browser's tests share the floor, whoever changes an address has it alone; at the gate they stand in a row, so that nobody waits for
ever. Both are files of the system, since the tests of a run are several processes, and so are two runs.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def steady() -> Iterator[None]:
    """No address of this machine comes or goes meanwhile."""
    with _locked("floor", fcntl.LOCK_SH):
        yield


@contextmanager
def changing() -> Iterator[None]:
    """Addresses may come and go: no window is open."""
    with _locked("floor", fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(name: str, how: int) -> Iterator[None]:
    """Have a file, through the gate."""
    descriptor = _opened(name)
    try:
        gate = _opened("gate")
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(descriptor, how)
        finally:
            os.close(gate)
        yield
    finally:
        os.close(descriptor)


def _opened(name: str) -> int:
    """A file of that name, of all runs of this user."""
    return os.open(
        Path(tempfile.gettempdir()) / f"serendip-{os.geteuid()}-network.{name}", os.O_RDWR | os.O_CREAT, 0o600
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A browser's test shares the floor; what it waits for that is not of its own time."""
    if "browser" not in getattr(item, "fixturenames", ()):
        return (yield)
    with steady():
        return (yield)
