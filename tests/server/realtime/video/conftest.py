"""Servers of the video tests: coturn as it ships, and ours that knows of it.

Rule: browsers are in the package `page` alone: Playwright holds the loop of the thread, and here are coroutines.
"""

from collections.abc import Iterator

import pytest

from bench.video.coturn import Turn
from tests.server.site.web.servers import Server
from tests.support.services import free_port


@pytest.fixture(scope="package")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    """One coturn for all."""
    turn = Turn(tmp_path_factory.mktemp("turn"))
    yield turn
    turn.stop()


@pytest.fixture(scope="package")
def metrics_port() -> int:
    """Where `calls` shows its metrics."""
    return free_port()


@pytest.fixture(scope="package")
def calls(tmp_path_factory: pytest.TempPathFactory, turn: Turn, metrics_port: int) -> Iterator[Server]:
    """A server whose calls can be relayed."""
    metrics = {"SERENDIP_METRICS__ENABLED": "true", "SERENDIP_METRICS__PORT": str(metrics_port)}
    made = Server(tmp_path_factory.mktemp("data"), **turn.settings, **metrics)
    yield made
    made.stop()
