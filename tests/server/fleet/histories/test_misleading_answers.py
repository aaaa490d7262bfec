"""A client comes to the host that its session just left. A process of the other host still names this one; another one there has the session."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import do
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.mutants import MISLED, MUTANTS
from tests.server.fleet.histories.people import Broken

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

HOME, EDGE = 0, 1  # places of hosts
WORKERS = [0, 1]
PIECES = [0.02, 0.1]  # seconds of each message between them: a process knows for one second where a session went


def goes_on(secret: Keys, first: int, at: int, piece: float) -> None:
    """A meets b at the home, and comes back by the worker beside their own (`first`) as b leaves: the session returns there, under a token that a has
    not heard, for a is at a worker of the home (`at`) by then.
    """
    with History(secret) as history:
        person = history.people[0]
        history.all_come({0: (EDGE, first), 1: (HOME, 0)})
        history.turns(8)
        history.finds([0, 1])
        history.turns(34)
        assert person.chat
        assert history.place_of(0) == HOME
        do(history, ("cut", {"there": -1, "back": -1, "half": False, "silent": False, "slow": piece, "twice": ""}))
        do(history, ("blink", {"who": 0, "host": EDGE, "worker": 1 - first, "turns": 5}))
        history.leaves(1)
        do(history, ("wait", {"seconds": 3.5 * piece}))  # MOVE, its answer and GO take one message's time each
        assert person.resuming
        do(history, ("blink", {"who": 0, "host": HOME, "worker": at, "turns": 5}))
        do(history, ("wait", {"seconds": 2.0}))
        assert person.resumed == 1
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("first", WORKERS)
@pytest.mark.parametrize("at", WORKERS)
@pytest.mark.parametrize("piece", PIECES)
def test_who_comes_to_the_host_that_their_session_left_has_it(secret: Keys, first: int, at: int, piece: float) -> None:
    goes_on(secret, first, at, piece)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("first", WORKERS)
@pytest.mark.parametrize("at", WORKERS)
def test_a_wrong_answer_that_ends_a_look_up_is_missed(secret: Keys, first: int, at: int) -> None:
    with MUTANTS[MISLED](), pytest.raises(Broken, match="nowhere"):
        goes_on(secret, first, at, PIECES[0])
