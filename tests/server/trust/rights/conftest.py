"""Provide the store's fixtures for data requests."""

from collections.abc import Iterator

import pytest

from server.data.privacy import registry_history
from server.http.words.sentence_formatter import said
from tests.server.data.conftest import kit, object_settings, url
from tests.server.site.web.servers import Server

__all__ = ["kit", "object_settings", "url"]


@pytest.fixture(autouse=True)
def statement_is_read() -> None:
    """Read the statement as the service does at its start: no file is read in the loop."""
    registry_history.history()
    said()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server without rate limits: one address plays all users."""
    server = Server(
        tmp_path_factory.mktemp("rights"),
        SERENDIP_MATCHING__BUSY_WINDOW="0",  # hundreds of searches a second are one user's here
        SERENDIP_LIMITS__ENABLED="false",
        SERENDIP_METRICS__ENABLED="true",
        SERENDIP_METRICS__PORT="0",
        SERENDIP_OPERATOR__EMAIL="privacy@chat.example",
    )
    yield server
    server.stop()
