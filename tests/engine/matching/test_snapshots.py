"""The waiting room from one process to another."""

import pytest

from engine.matching.lobby import Lobby, Pool, Step
from engine.matching.snapshots import BadSnapshot
from tests.engine.matching.test_lobby import ticket


@pytest.fixture
def lobby() -> Lobby:
    return Lobby()


def test_a_snapshot_carries_everybody_with_their_age_to_another_lobby(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "Chess tea", blocked=(9,)), 0.0)
    lobby.submit(ticket(lobby, 2, "go", pool=Pool(language="de"), strict=True, now=1.0), 1.0)
    lobby.submit(ticket(lobby, 3, now=2.0), 2.0)
    lobby.set_aside(3, 2.0)
    other = Lobby()
    other.intern(["something", "else"])
    taken = other.load(lobby.snapshot(5.0), 1005.0)
    assert [t.client for t in taken] == [1, 2, 3]
    assert other.status(1, 1005.0) == Step(1, "any", 5.0, True)
    assert other.status(3, 1005.0) is None
    match = other.submit(ticket(other, 4, "chess", now=1006.0), 1006.0)
    assert match is not None
    assert (match.b, match.waited_b) == (1, 6.0)


@pytest.mark.parametrize(
    "snapshot", [b"", b"[]", b'{"version":2,"tickets":[]}', b'{"version":1}', b'{"version":1,"tickets":[[1]]}']
)
def test_a_bad_snapshot_is_refused_and_changes_nothing(lobby: Lobby, snapshot: bytes) -> None:
    with pytest.raises(BadSnapshot):
        lobby.load(snapshot, 0.0)
    assert lobby.sizes() == {}
