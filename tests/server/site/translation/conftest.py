"""A server that speaks LibreTranslate's API, for each test."""

from collections.abc import Iterator

import pytest

from tests.support.libretranslate import LibreTranslate


@pytest.fixture
def theirs() -> Iterator[LibreTranslate]:
    """It, with a key."""
    server = LibreTranslate(key="sesame")
    yield server
    server.stop()
