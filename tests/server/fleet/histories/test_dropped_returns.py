"""A client drops while its session is on the way back from the host of the chat, over a slow connection."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed, do
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.mutants import DROPPED, MUTANTS, UNEXPECTED
from tests.server.fleet.histories.people import Broken, Person

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

PIECE: float = 0.3  # seconds of each piece of a connection


def slow(piece: float) -> Deed:
    """The next connection between hosts takes so many seconds for each piece."""
    return "cut", {"there": -1, "back": -1, "half": False, "silent": False, "slow": piece, "twice": ""}


def met(history: History, piece: float) -> tuple[int, int]:
    """The user whose chat is at the other host, and that host, once two have met over a connection of so many seconds a piece."""
    do(history, slow(piece))
    do(history, ("meet", {"who": 0, "other": 1, "host": 0, "worker": 0, "turns": 34, "count": 0}))
    do(history, ("wait", {"seconds": 10 * piece}))
    home = history.place_of(0)
    assert home is not None
    visitor = next(who for who in (0, 1) if history.people[who].at[0] != home)  # type: ignore[index]
    assert history.people[visitor].chat
    return visitor, home


def has_again(person: Person) -> bool:
    """Whether they were resumed once, in the session that they had."""
    return (person.resumed, person.session != person.fresh) == (1, True)


def has_it_still(secret: Keys, at: int, after: float) -> bool:
    """Whether who drops has their session. `after`: pieces' time until they drop; `at`: they come back where they were connected (0), or at the other
    host (1).
    """
    with History(secret) as history:
        visitor, home = met(history, PIECE)
        do(history, ("leave", {"who": visitor}))
        do(history, ("wait", {"seconds": after * PIECE}))
        do(history, ("drop", {"who": visitor}))
        do(history, ("wait", {"seconds": 3.0}))
        do(history, ("come", {"who": visitor, "host": home + 1 - at, "worker": 1}))
        do(history, ("wait", {"seconds": 3.0}))
        found = has_again(history.people[visitor])
        do(history, ("settle", {"wholly": False}))
        return found


@pytest.mark.timeout(60)
@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("after", [0.5, 1.5, 2.5, 3.5])
def test_who_drops_during_the_return_of_their_session_has_it_still(secret: Keys, at: int, after: float) -> None:
    """The word that they leave takes one piece's time, the first frame of the session the next, the end of stream that follows the third, the last
    frame the fourth.
    """
    assert has_it_still(secret, at, after)


@pytest.mark.timeout(60)
def test_a_session_that_is_not_put_in_is_missed(secret: Keys) -> None:
    with MUTANTS[DROPPED](), pytest.raises(Broken, match="nowhere"):
        has_it_still(secret, 0, 1.5)


def is_back_first(secret: Keys, worker: int, piece: float) -> bool:
    """Whether who is back at the host of the chat before their session has left it has it. Their connection moved to another worker there, which
    told the host of their client so; the session, as it returns, waits behind that, and the end of the client's stream overtakes it.
    """
    with History(secret) as history:
        visitor, home = met(history, piece)
        do(history, ("move", {"who": visitor, "worker": 1, "turns": 2, "dies": -1}))
        do(history, ("drop", {"who": visitor}))
        do(history, ("leave", {"who": 1 - visitor}))
        do(history, ("blink", {"who": visitor, "host": home, "worker": worker, "turns": 8}))
        do(history, ("wait", {"seconds": 3.0}))
        found = has_again(history.people[visitor])
        do(history, ("settle", {"wholly": False}))
        return found


@pytest.mark.timeout(60)
@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("piece", [0.01, 0.1, PIECE, 0.9])
def test_who_is_back_at_the_other_host_before_the_session_left_has_it(secret: Keys, worker: int, piece: float) -> None:
    """The host of the client answers the other one once the session has come."""
    assert is_back_first(secret, worker, piece)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [0.01, PIECE])
def test_a_session_for_which_nobody_waits_is_missed(secret: Keys, piece: float) -> None:
    with MUTANTS[UNEXPECTED](), pytest.raises(Broken, match="nowhere"):
        is_back_first(secret, 0, piece)
