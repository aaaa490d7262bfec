"""Run the real server for the client's tests. Invariant: one process, on a free port, with an empty data folder."""

from collections.abc import Iterator

import pytest

from tests.server.site.web.servers import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that the tests of this folder share."""
    settings = {"LIMITS__ENABLED": "false", "METRICS__ENABLED": "true", "METRICS__PORT": "0"}
    server = Server(tmp_path_factory.mktemp("data"), **{f"SERENDIP_{name}": value for name, value in settings.items()})
    yield server
    server.stop()


@pytest.fixture
def url(server: Server) -> str:
    """The address to which a client connects."""
    return f"ws://127.0.0.1:{server.port}/ws"
