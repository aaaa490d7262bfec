"""A picture process that runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.trust.pictures.running import Run


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    made = await Run(tmp_path).ready()
    yield made
    await made.close()
