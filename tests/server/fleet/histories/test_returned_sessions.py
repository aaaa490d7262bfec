"""A client drops as its session is on the way back to the host at which it came back, and comes to another process there before the session does."""

from __future__ import annotations

import pytest

from server.fleet.processes.session_lookup import MOVING_FOR
from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import do
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.mutants import MUTANTS, RETURNED

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

HOME, EDGE = 0, 1  # places of hosts
PIECE: float = 0.01  # seconds of each message between them


def seconds_until_resumed(secret: Keys, piece: float, after: float, is_late: bool) -> float | None:
    """Return the seconds until the client is resumed; None: it received `no_session`. `piece`: seconds of each message while the session returns;
    `after`: number of those messages until the client drops; `is_late`: the look-up reaches the other hosts late.
    """
    with History(secret) as history:
        person = history.people[0]
        history.all_come({0: (HOME, 0)})
        history.turns(8)
        do(history, ("cut", {"there": -1, "back": -1, "half": False, "silent": False, "slow": piece, "twice": ""}))
        do(history, ("blink", {"who": 0, "host": EDGE, "worker": 0, "turns": 2}))
        do(history, ("wait", {"seconds": after * piece}))
        assert person.resuming
        if is_late:
            do(history, ("fail", {"mishap": "late", "well": 0, "count": 2}))
        do(history, ("blink", {"who": 0, "host": EDGE, "worker": 1, "turns": 1}))
        began = history._clock.now
        while person.resuming:
            do(history, ("wait", {"seconds": 0.05}))
        found = history._clock.now - began if person.resumed else None
        do(history, ("settle", {"wholly": False}))
        return found


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [PIECE, 0.3])
@pytest.mark.parametrize("after", [0.5, 1.5, 2.5, 3.5])
@pytest.mark.parametrize("is_late", [False, True])
def test_who_comes_back_before_their_session_returns_there_has_it(
    secret: Keys, piece: float, after: float, is_late: bool
) -> None:
    """MOVE, its answer and GO take one message's time each, and so does the session."""
    assert seconds_until_resumed(secret, piece, after, is_late) is not None


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [0.1, 0.3])
def test_who_waits_for_a_session_that_returns_has_it_once_it_is_there(secret: Keys, piece: float) -> None:
    """The answer is that of the process to which it returns, by the name by which the client knows it, and no limit of time."""
    found = seconds_until_resumed(secret, piece, 3.5, False)
    assert found is not None
    assert found < MOVING_FOR - 2.0  # of the history's clock


@pytest.mark.timeout(60)
def test_a_host_that_is_not_asked_once_more_is_missed(secret: Keys) -> None:
    with MUTANTS[RETURNED]():
        assert seconds_until_resumed(secret, PIECE, 3.5, True) is None
