"""Servers of the video tests: coturn with the configuration that ships, and ours that knows of it."""

from collections.abc import Iterator

import pytest

from tests.page.conftest import browser, watch, window  # noqa: F401 - fixtures
from tests.page.servers import Server
from tests.video.turn import Turn


@pytest.fixture(scope="package")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    """One coturn for all."""
    turn = Turn(tmp_path_factory.mktemp("turn"))
    yield turn
    turn.stop()


@pytest.fixture(scope="package")
def calls(tmp_path_factory: pytest.TempPathFactory, turn: Turn) -> Iterator[Server]:
    """A server whose calls can be relayed."""
    made = Server(tmp_path_factory.mktemp("data"), **turn.settings)
    yield made
    made.stop()
