"""A client comes back at another host than that of its chat, over a connection between them that is slow."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed, do
from tests.server.fleet.histories.history import History

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

SLOW: Deed = ("cut", {"there": -1, "back": -1, "half": False, "silent": False, "slow": 0.7, "twice": ""})


@pytest.mark.timeout(60)
def test_who_comes_back_at_another_host_over_a_slow_connection_goes_on_in_their_chat(secret: Keys) -> None:
    """Request and answer take 1.4 seconds, longer than a session waits that could stay where it is."""
    with History(secret) as history:
        do(history, ("meet", {"who": 0, "other": 1, "host": 0, "worker": 0, "turns": 34, "count": 1}))
        do(history, ("wait", {"seconds": 0.3}))
        place = history.place_of(0)
        assert place is not None
        there = next(person for person in (0, 1) if history.people[person].at[0] == place)  # type: ignore[index]
        chat = history.people[there].chat
        assert chat
        do(history, SLOW)
        do(history, ("blink", {"who": there, "host": 1 - place, "worker": 1, "turns": 2}))
        do(history, ("wait", {"seconds": 4.0}))
        assert (history.people[there].chat, history.people[there].resumed) == (chat, 1)
        do(history, ("settle", {"wholly": False}))
