"""What tests of several hosts share: one NATS server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import services


@pytest.fixture(scope="session")
def nats() -> Iterator[services.Nats]:
    """One NATS server for all tests of the session, which nobody stops."""
    with services.nats() as server:
        yield server
