"""What the tests of people over hosts share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.security.keys import Keys, load
from tests.server.cluster.crossed import Cell as Crossed
from tests.server.cluster.crossed import cell as crossed
from tests.server.cluster.rig import Cell, cell


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
