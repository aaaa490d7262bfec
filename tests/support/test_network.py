"""Test that browser windows share a stable network, that a test changing it has it alone, and that neither starves."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support import network

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those that the other tests of this run wait at."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


class Visit:
    """Somebody who comes, and stays until they are let go."""

    def __init__(self, kind: Callable[[], AbstractContextManager[None]]) -> None:
        self.there, self._leave = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(kind,))
        self._thread.start()

    def _run(self, kind: Callable[[], AbstractContextManager[None]]) -> None:
        with kind():
            self.there.set()
            self._leave.wait(PATIENCE)

    def end(self) -> None:
        """They go."""
        self._leave.set()
        self._thread.join()


def at_the_gate() -> bool:
    """Whether somebody stands there and waits for the floor."""
    probe = network._opened("gate")
    try:
        fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(probe)
    return False


def test_windows_share_and_who_changes_waits_for_them_and_they_for_it() -> None:
    first, second = Visit(network.steady), Visit(network.steady)
    assert first.there.wait(PATIENCE)
    assert second.there.wait(PATIENCE)
    change = Visit(network.changing)
    while not at_the_gate():
        pass
    third = Visit(network.steady)  # it came later, and does not go before
    first.end()
    assert not change.there.is_set()
    second.end()
    assert change.there.wait(PATIENCE)
    assert not third.there.is_set()
    change.end()
    assert third.there.wait(PATIENCE)
    third.end()


def test_what_breaks_leaves_the_floor_free() -> None:
    for kind in (network.steady, network.changing):
        with pytest.raises(ZeroDivisionError), kind():
            raise ZeroDivisionError
    with network.changing():
        pass
