"""Provide a reactor for each test; it must be empty when the test ends."""

from collections.abc import Iterator

import pytest

from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor import debug_hooks
from tests.ext.net.rig import Rig, descriptors


@pytest.fixture
def rig(rings: Rings) -> Iterator[Rig]:
    """The reactor as the service has it, without enforced limits; it is closed before the rings."""
    made = Rig()
    yield made
    made.close()


@pytest.fixture
def other(rings: Rings) -> Iterator[Rig]:
    """A second reactor, for moves."""
    made = Rig()
    yield made
    made.close()


@pytest.fixture
def no_descriptor_stays(rig: Rig, other: Rig) -> Iterator[None]:
    """Check that all descriptors that a test opened are closed at its end."""
    before = descriptors()
    yield
    for each in (rig, other):
        for peer in each.peers:
            peer.sock.close()
        each.run()
        each.later(5)
        assert each.reactor.tunnels == 0
    assert descriptors() == before


@pytest.fixture
def echo() -> Iterator[Rig]:
    """The echo server's reactor."""
    made = Rig(Judge(hosts=["*"], origins=["*"], proxies=[]), message_max=1 << 20)
    debug_hooks.echo(made.reactor)
    made.echoes = True
    yield made
    made.close()


@pytest.fixture
def rings() -> Iterator[Rings]:
    """Rings within 1 MiB; all must be gone when the test ends."""
    made = Rings(1 << 20)
    yield made
    assert made.counters()["rings"] == 0
    assert made.counters()["used"] == 0
