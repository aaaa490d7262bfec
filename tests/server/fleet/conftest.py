"""Fixtures for tests of several processes and hosts."""

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.ops.security.secret_keys import Keys, load
from tests.server.fleet.cluster.crossed import Cell as Crossed
from tests.server.fleet.cluster.crossed import cell as crossed
from tests.server.fleet.cluster.rig import Cell, cell
from tests.server.fleet.processes.rig import Host, host
from tests.support import ledger


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    """Keys of a deployment."""
    return load(tmp_path)


@pytest.fixture
async def two(secret: Keys) -> AsyncIterator[Cell]:
    """Two hosts with a worker each, in one room."""
    async with cell(secret) as made:
        yield made


@pytest.fixture
async def apart(secret: Keys) -> AsyncIterator[Crossed]:
    """An edge and a home, between which the test takes people itself."""
    async with crossed(secret) as made:
        yield made


@pytest.fixture
async def made(secret: Keys) -> AsyncIterator[Host]:
    """A host, and its end."""
    async with host(secret) as one:
        yield one


@pytest.fixture
def collected() -> Iterator[None]:
    """A process settles what Python looks at; the tests' own is as it was, afterwards."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    ledger.thaw()
