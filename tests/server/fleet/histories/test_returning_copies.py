"""Copies of a session that come back to the process that sent it, while its own move is not over, or later."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed
from tests.server.fleet.histories.mutants import MUTANTS, NOT_FOLLOWED
from tests.server.fleet.histories.run import played

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

# Users, hosts and workers are numbers. The acknowledgement of a move between the hosts is lost without a word; what follows is of the other host.
STRAY: tuple[Deed, ...] = (
    ("cut", {"there": -1, "back": 1, "half": False, "silent": True, "slow": 0.0, "twice": ""}),
    ("meet", {"who": 0, "other": 1, "host": 0, "worker": 0, "turns": 34, "count": 0}),
)


def moved(to: int) -> list[Deed]:
    """Both users are drained to a worker, wherever they are."""
    return [("move", {"who": who, "worker": to, "turns": 3, "dies": -1}) for who in (0, 1)]


def emptied(host: int, worker: int) -> list[Deed]:
    """All of a worker go to the first one of the other host."""
    return [("evacuate", {"host": host, "worker": worker}), ("turn", {"count": 34}), ("wait", {"seconds": 0.1})]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("home", [0, 1])
def test_a_copy_that_goes_back_to_the_process_whose_go_is_under_way_is_no_second_session(
    secret: Keys, home: int
) -> None:
    """From there it would move on before the first move is over."""
    deeds = (*STRAY, *emptied(home, 0), *moved(1), ("wait", {"seconds": 2.2}), ("settle", {"wholly": True}))
    assert not played(0, secret, deeds).fault


@pytest.mark.timeout(60)
@pytest.mark.parametrize("home", [0, 1])
def test_a_copy_that_goes_to_the_process_that_the_session_left_since_is_forgotten(secret: Keys, home: int) -> None:
    """The session was put back, and moved on within its host, while the word to forget the copy was on its way."""
    silence: Deed = ("cut", {"there": 0, "back": 0, "half": False, "silent": True, "slow": 0.0, "twice": ""})
    pause: Deed = ("wait", {"seconds": 2.2})  # until the acknowledgement is given up
    deeds = (
        *STRAY,
        silence,
        pause,
        *moved(1),
        *emptied(home, 1),
        ("wait", {"seconds": 3.0}),
        ("settle", {"wholly": True}),
    )
    assert not played(0, secret, deeds).fault


@pytest.mark.timeout(60)
def test_a_copy_that_moved_on_and_is_not_followed_is_found(secret: Keys) -> None:
    """Histories that are drawn need more than two thousand for it."""
    deeds = (*STRAY, *moved(1), ("wait", {"seconds": 2.2}), ("settle", {"wholly": True}))
    assert not played(0, secret, deeds).fault
    with MUTANTS[NOT_FOLLOWED]():
        assert "no process doubts it" in played(0, secret, deeds).fault
