"""A client resumes at another host while the worker with its session is emptied: it refuses all, and the session is about to move."""

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


def meet(history: History, place: int) -> None:
    """Let two users chat: the first one's connection is to this host, the other one's to the home."""
    history.all_come({0: (place, 0), 1: (HOME, 0)})
    history.turns(8)
    history.finds([0, 1])
    history.passes(0.3)


def goes_on(history: History, piece: float, place: int, worker: int) -> None:
    """Empty the worker with the first user's session, let the client resume at the edge meanwhile, and check that the chat goes on."""
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
    """The chat came from the other worker of that host, which answers look-ups with the name of the emptied one."""
    with History(secret) as history:
        meet(history, HOME)
        history.moves(0, 1, 8)
        goes_on(history, piece, HOME, 1)


def comes_from_the_edge(secret: Keys, piece: float) -> None:
    """The session came from the edge, where its client resumes: the worker there answers at once with the name of the emptied one."""
    with History(secret) as history:
        meet(history, EDGE)
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
