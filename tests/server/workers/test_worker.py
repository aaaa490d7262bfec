"""A worker's process in the test's loop: who knocks is greeted, a page is the office's, and the end is the drain's."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.config.settings import Settings
from server.handover.link import Kind
from server.process.listening import listen
from server.security import keys
from server.workers.peers import HUB, OFFICE
from server.workers.worker import WorkerProcess, serve
from tests.ext.net.rig import head
from tests.server.handover.rig import until
from tests.server.workers.rig import Host, pair, sent_to_worker

pytestmark = pytest.mark.blocking  # a process reads its keys before it serves


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """A worker's process settles what Python looks at; the tests' own is as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(
        data=tmp_path, server={"drain": 0.2}, store={"enabled": False}, limits={"enabled": False}, workers=2
    )
    keys.load(tmp_path)
    return found
