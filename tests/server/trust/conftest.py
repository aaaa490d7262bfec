"""Provide the store's fixtures for moderation, and a screener with its process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.http.words.sentence_formatter import said
from tests.server.data.conftest import kit, object_settings, url
from tests.server.trust.moderation.running import Run

__all__ = ["kit", "object_settings", "url"]
said()  # what a refusal says is read from files: as in a server, before a loop runs


@pytest.fixture
async def screen(tmp_path: Path) -> AsyncIterator[Run]:
    made = Run(tmp_path)
    yield made
    await made.close()
