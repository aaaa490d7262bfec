"""A client comes back to a host that does not know the other one, which has its session: it, its hub, the other one's or NATS was away until a
moment ago.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed, do
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.mutants import BELIEVED, MUTANTS
from tests.server.fleet.histories.people import Broken

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

HOME, EDGE = 0, 1  # places of hosts
BACK: Deed = ("blink", {"who": 0, "host": EDGE, "worker": 0, "turns": 2})
TURNS_MAX = 100  # turns until a session is where it goes


def wait(seconds: float) -> Deed:
    """Time passes."""
    return "wait", {"seconds": seconds}


def died(name: str, host: int = EDGE) -> Deed:
    """A process dies."""
    return "die", {"host": host, "name": name}


def without_nats(on: bool, host: int = EDGE) -> Deed:
    """A host is cut off from NATS, or not any more."""
    return "cut_off", {"host": host, "on": on, "bus": True}


RESTART: Deed = ("restart", {})
MOMENT: Deed = ("turn", {"count": 3})
AWAY: dict[str, tuple[Deed, ...]] = {
    "the host has begun a moment ago": (died("frontend"), wait(3.0), RESTART, MOMENT, BACK),
    "its hub died": (died("hub"), BACK, wait(0.5), RESTART),
    "its hub has begun a moment ago": (died("hub"), RESTART, MOMENT, BACK),
    "the hub of the other one has begun a moment ago": (died("hub", HOME), wait(3.0), RESTART, wait(0.01), BACK),
    "its hub dies as it is asked": (BACK, ("turn", {"count": 1}), died("hub"), RESTART),
    "NATS is away for a second": (without_nats(on=True), wait(1.0), BACK, wait(0.3), without_nats(on=False)),
    "NATS was away for long": (without_nats(on=True), wait(4.0), without_nats(on=False), MOMENT, BACK),
    "NATS was away for long from the other one": (
        without_nats(on=True, host=HOME),
        wait(4.0),
        without_nats(on=False, host=HOME),
        MOMENT,
        BACK,
    ),
}


def turned_until(history: History, is_so: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    for _ in range(TURNS_MAX):
        if is_so():
            return
        history.turns(1)
    raise AssertionError


@pytest.mark.timeout(60)
@pytest.mark.parametrize("why", AWAY)
def test_who_comes_back_where_the_host_of_their_chat_is_not_known_yet_goes_on_in_it(secret: Keys, why: str) -> None:
    with History(secret) as history:
        history.all_come({0: (HOME, 0), 1: (HOME, 1)})
        history.turns(8)
        history.finds([0, 1])
        history.passes(0.3)
        person = history.people[0]
        chat = person.chat
        assert chat
        assert history.place_of(0) == HOME
        for deed in AWAY[why]:
            do(history, deed)
        history.passes(5.0)
        assert (person.chat, person.resumed, history.people[1].chat) == (chat, 1, chat)
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
def test_a_host_of_which_all_messages_were_lost_may_be_unknown_until_its_next_one(secret: Keys) -> None:
    with History(secret) as history:
        do(history, ("gather", {"places": [(HOME, 0)] * 4}))
        assert not history._has_failed()  # they know each other
        do(history, ("fail", {"mishap": "lost", "well": 0, "count": 40}))
        do(history, wait(3.3))
        do(history, ("settle", {"wholly": False}))
        do(history, BACK)
        do(history, wait(1.0))
        assert not history.people[0].resumed


@pytest.mark.timeout(60)
def test_who_waits_for_hosts_to_be_known_has_the_session_that_came_to_another_process_meanwhile(secret: Keys) -> None:
    """When they are known, the host that the session left does not know any more where it went."""
    with History(secret) as history:
        history.all_come({0: (HOME, 0)})
        history.turns(8)
        history.finds([0])
        history.turns(8)
        do(history, died("hub"))
        do(history, ("blink", {"who": 0, "host": EDGE, "worker": 1, "turns": 2}))
        do(history, ("evacuate", {"host": HOME, "worker": 0}))  # to the first worker
        do(history, wait(1.5))
        person = history.people[0]
        assert (history.place_of(0), person.resuming) == (EDGE, True)
        do(history, RESTART)
        do(history, wait(5.0))
        assert (person.resumed, person.here) == (1, True)
        do(history, ("settle", {"wholly": False}))


def is_found(secret: Keys) -> bool:
    """Whether who comes back to the worker that their session left has it. The session went from one worker of its host to the other, and from there
    to the host of its connection.
    """
    with History(secret) as history:
        history.all_come({0: (HOME, 1)})
        history.turns(8)
        history.finds([0])
        history.turns(8)
        history.moves(0, 0, 8)
        do(history, BACK)
        turned_until(history, lambda: history.place_of(0) is None)  # it is on the way back
        do(history, ("drop", {"who": 0}))
        turned_until(history, lambda: history.place_of(0) == EDGE)
        do(history, ("come", {"who": 0, "host": HOME, "worker": 0}))
        history.passes(3.0)
        person = history.people[0]
        do(history, ("settle", {"wholly": False}))
        return person.session != person.fresh and person.searching


@pytest.mark.timeout(60)
def test_who_comes_back_to_the_worker_that_their_session_left_has_it_whoever_thinks_it_is_there(secret: Keys) -> None:
    assert is_found(secret)


@pytest.mark.timeout(60)
def test_a_session_that_is_thought_to_be_where_it_was_is_missed(secret: Keys) -> None:
    with MUTANTS[BELIEVED](), pytest.raises(Broken, match="nowhere"):
        is_found(secret)
