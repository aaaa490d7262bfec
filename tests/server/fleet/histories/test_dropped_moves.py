"""A client drops as its session moves to another worker of its host, and is back while the first worker still has the old socket."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.history import History

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("turns", range(4))
def test_who_drops_as_their_session_moves_to_another_worker_has_it_still(secret: Keys, turns: int, worker: int) -> None:
    """The other worker reads in the turn in which the session comes, as its own user asks something: it closes the socket before the first one."""
    with History(secret) as history:
        history.all_come({0: (0, 0), 1: (0, 1)})
        history.turns(8)
        person, other = history.people[:2]
        history.moves(0, 1, 0)
        history._loop.do(person.drop)
        history._loop.do(other.ping)
        history._loop.turn(turns)
        history.comes(0, 0, worker)
        history.passes(1.0)
        assert (person.ready, person.resumed) == (True, 1)
        history.settles(wholly=False)
