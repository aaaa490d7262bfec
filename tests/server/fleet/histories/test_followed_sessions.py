"""A client comes back to the worker to which its session is on its way from another host, and which that leaves at once for a partner beside it."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import do
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.mutants import LEFT, MISLED, MUTANTS
from tests.server.fleet.histories.people import Broken

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

HOME, EDGE = 0, 1  # places of hosts
PIECES = [0.01, 0.1]  # seconds of each message between them


def goes_on(secret: Keys, piece: float) -> None:
    """A is on their way from the edge to b, who leaves meanwhile, and is matched with c at the worker beside it."""
    with History(secret) as history:
        history.all_come({0: (EDGE, 1), 1: (HOME, 1)})
        history.turns(8)
        do(history, ("cut", {"there": -1, "back": -1, "half": False, "silent": False, "slow": piece, "twice": ""}))
        history.finds([0, 1])
        history.turns(8)
        assert history.network.tally["slow"] == 1
        history.is_new(1)
        history.comes(2, HOME, 0)
        history.turns(8)
        history.finds([2])
        do(history, ("blink", {"who": 0, "host": HOME, "worker": 1, "turns": 5}))
        do(history, ("wait", {"seconds": 2.0}))
        first, _, third, _ = history.people
        assert (first.chat, first.resumed) == (third.chat, 1)
        assert first.chat
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PIECES)
def test_who_comes_back_where_their_session_comes_and_leaves_at_once_goes_on_with_it(
    secret: Keys, piece: float
) -> None:
    goes_on(secret, piece)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PIECES)
def test_a_session_that_is_not_followed_is_missed(secret: Keys, piece: float) -> None:
    """Nor found later: its worker does not ask once more either."""
    with MUTANTS[LEFT](), MUTANTS[MISLED](), pytest.raises(Broken, match="nowhere"):
        goes_on(secret, piece)
