"""A client comes back to a host whose two workers each name the other one: the session was in both, and left them, all in one moment."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import do
from tests.server.fleet.histories.history import History

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

HOME, EDGE = 0, 1  # places of hosts


@pytest.mark.timeout(60)
@pytest.mark.parametrize("worker", [0, 1])
def test_who_comes_back_where_their_session_was_goes_to_where_it_is(secret: Keys, worker: int) -> None:
    """Their connection is not sent from one worker to the other without end: a session that left before it was asked for is not followed."""
    with History(secret) as history:
        history.all_come({0: (EDGE, 1), 1: (HOME, 1)})
        history.turns(8)
        history.finds([0, 1])
        history.turns(34)
        began = history._clock.now
        assert history.place_of(0) == HOME
        for there in (0, 1):
            history.moves(0, there, 5)
            assert {name for (_, name), _ in history._holders(history.people[0].session)} == {f"worker {1 + there}"}
        history.leaves(0)
        history.turns(21)
        assert history.place_of(0) == EDGE
        do(history, ("blink", {"who": 0, "host": HOME, "worker": worker, "turns": 2}))
        assert history._clock.now == began
        do(history, ("wait", {"seconds": 1.0}))
        assert history.people[0].resumed == 1
        do(history, ("settle", {"wholly": False}))
