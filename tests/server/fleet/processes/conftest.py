"""What the tests of a host's processes share."""

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.security.keys import Keys, load
from tests.server.workers.rig import Host, host
from tests.support import ledger


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    """Keys of a deployment."""
    return load(tmp_path)


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
