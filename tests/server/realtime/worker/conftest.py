"""A worker that turns in the test's loop, for the tests of what is done to those who are there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.ops.security.secret_keys import Keys, load
from server.realtime.worker.worker_loop import Worker
from tests.server.realtime.worker.late_ports import LatePorts
from tests.server.realtime.worker.test_worker_loop import turning


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


@pytest.fixture
def ports() -> LatePorts:
    return LatePorts()


@pytest.fixture
async def worker(secret: Keys, ports: LatePorts) -> AsyncIterator[Worker]:
    made = turning(secret, ports.given())
    yield made
    made.stop()
