"""A client comes back at another host while the worker that has its session is emptied: that accepts nobody, and the session is on its way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed, do
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.mutants import MUTANTS, ONCE_ONLY
from tests.server.fleet.histories.people import Broken

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

Comes = Callable[[Keys, float], None]
HOME, EDGE = 0, 1  # places of hosts
PIECES = [0.01, 0.4]  # seconds of each of four messages: a process knows for one second where a session went


def slow(piece: float) -> Deed:
    """The next connection between hosts is slow."""
    return "cut", {"there": -1, "back": -1, "half": False, "silent": False, "slow": piece, "twice": ""}


def goes_on(history: History, piece: float, place: int, worker: int) -> None:
    """Empty the worker that has the session of a, who comes back to a worker of the edge meanwhile; see that they are in their chat."""
    person = history.people[0]
    chat = person.chat
    assert chat
    do(history, slow(piece))
    do(history, ("evacuate", {"host": place, "worker": worker}))
    do(history, ("blink", {"who": 0, "host": EDGE, "worker": 1, "turns": 5}))
    do(history, ("wait", {"seconds": 5.0}))
    assert (person.chat, person.resumed) == (chat, 1)
    do(history, ("settle", {"wholly": False}))


def comes_from_a_neighbour(secret: Keys, piece: float) -> None:
    """The chat came to the worker from the other one of its host, which says so to whoever asks."""
    with History(secret) as history:
        history.all_come({0: (HOME, 0), 1: (HOME, 0)})
        history.turns(8)
        history.finds([0, 1])
        history.passes(0.3)
        history.moves(0, 1, 8)
        goes_on(history, piece, HOME, 1)


def comes_from_the_edge(secret: Keys, piece: float) -> None:
    """The session came to the worker from the host to which its client comes back, whose worker says so at once."""
    with History(secret) as history:
        history.all_come({0: (EDGE, 0), 1: (HOME, 0)})
        history.turns(8)
        history.finds([0, 1])
        history.passes(0.3)
        assert history.place_of(0) == HOME
        goes_on(history, piece, HOME, 0)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("comes", [comes_from_a_neighbour, comes_from_the_edge])
def test_who_comes_back_while_their_session_leaves_an_emptied_worker_goes_on_in_their_chat(
    secret: Keys, comes: Comes, piece: float
) -> None:
    comes(secret, piece)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("comes", [comes_from_a_neighbour, comes_from_the_edge])
def test_who_is_not_looked_up_again_is_missed(secret: Keys, comes: Comes) -> None:
    with MUTANTS[ONCE_ONLY](), pytest.raises(Broken, match="nowhere"):
        comes(secret, PIECES[0])
