"""Keep tests that change the machine's addresses apart from browser tests.

A browser aborts all requests when an address changes (`net::ERR_NETWORK_CHANGED`).

**Invariant:** browser tests share a lock, a test that changes an address holds it alone; a second lock makes them queue, so that none
starves. Both are files, since a run has several processes, and there may be several runs.
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
    """Hold off address changes."""
    with _locked("floor", fcntl.LOCK_SH):
        yield


@contextmanager
def changing() -> Iterator[None]:
    """Hold off browser windows while addresses change."""
    with _locked("floor", fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(name: str, how: int) -> Iterator[None]:
    """Lock a file, after the queue."""
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
    """Open a lock file that all runs of this user share."""
    return os.open(
        Path(tempfile.gettempdir()) / f"serendip-{os.geteuid()}-network.{name}", os.O_RDWR | os.O_CREAT, 0o600
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Hold the shared lock during a browser's test; waiting for it does not count towards the test's time."""
    if "browser" not in getattr(item, "fixturenames", ()):
        return (yield)
    with steady():
        return (yield)
