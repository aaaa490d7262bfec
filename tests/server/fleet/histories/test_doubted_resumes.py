"""A client resumes a copy of its session that a lost acknowledgement left at another host, hears nothing of that, and comes back to the host that
put the session back.
"""

from __future__ import annotations

from typing import Final

import pytest

from server.fleet.roaming.stale_copies import DOUBTED_FOR
from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed, do
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.mutants import MUTANTS, UNDOUBTED, UNTOLD
from tests.server.fleet.histories.people import Broken, Person

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

SILENCE: Final[Deed] = (
    "cut",
    {"there": 0, "back": 0, "half": False, "silent": True, "slow": 0.0, "twice": ""},
)  # of the next connection between the hosts
GIVEN_UP: Final = 2.2  # seconds until an acknowledgement, or an answer to a request to forget, is waited for no more
AT_ONCE, IN_DOUBT = "at once", "in doubt"  # when the client comes back: before the session is put back, or behind that


def lose_the_acknowledgement(history: History) -> Person:
    """Two users are to meet at the first host, and the acknowledgement is lost without a word. Return who is in a process of each host: they were
    resumed at the copy, which they do not know.
    """
    do(history, ("cut", {"there": -1, "back": 1, "half": False, "silent": True, "slow": 0.0, "twice": ""}))
    do(history, ("meet", {"who": 1, "other": 0, "host": 0, "worker": 0, "turns": 13, "count": 1}))
    person = history.people[1]
    do(history, ("blink", {"who": 1, "host": 0, "worker": 0, "turns": 5}))
    do(history, ("drop", {"who": 1}))
    assert (person.chat, person.resumed, history.place_of(1)) == ("", 0, 0)
    assert history.people[0].chat
    return person


def come_back(history: History, when: str, worker: int) -> Person:
    """The same; then they come back to the other host."""
    person = lose_the_acknowledgement(history)
    if when == IN_DOUBT:
        do(history, SILENCE)
        do(history, ("wait", {"seconds": GIVEN_UP}))
        assert not history.network.fates  # the first request to forget is under way
    do(history, ("come", {"who": 1, "host": 1, "worker": worker}))
    return person


@pytest.mark.timeout(60)
@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("when", [AT_ONCE, IN_DOUBT])
def test_who_resumed_the_copy_goes_on_in_its_chat_at_the_host_that_put_the_session_back(
    secret: Keys, when: str, worker: int
) -> None:
    with History(secret) as history:
        person = come_back(history, when, worker)
        do(history, ("wait", {"seconds": 2 * GIVEN_UP}))
        assert (person.chat, person.resumed) == (history.people[0].chat, 1)
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("when", [AT_ONCE, IN_DOUBT])
def test_a_resume_that_does_not_wait_for_the_answer_is_found(secret: Keys, when: str, worker: int) -> None:
    """Both sessions were resumed then, and both stay."""
    with MUTANTS[UNDOUBTED](), History(secret) as history:
        come_back(history, when, worker)
        with pytest.raises(Broken, match="for long"):
            do(history, ("settle", {"wholly": False}))


def put_back_and_moved(history: History, moves: int) -> Person:
    """Host 1 puts a session back that host 0 has too, and moves it so often between its workers while it is doubted. Return its user."""
    person = lose_the_acknowledgement(history)
    do(history, SILENCE)
    do(history, ("wait", {"seconds": GIVEN_UP}))
    for to in range(1, moves + 1):
        do(history, ("move", {"who": 1, "worker": to, "turns": 5, "dies": -1}))
    return person


def come_back_to_what_moved(history: History, moves: int, worker: int) -> Person:
    """The client comes back to the host that put the session back and moved it. Return its user."""
    person = put_back_and_moved(history, moves)
    do(history, ("come", {"who": 1, "host": 1, "worker": worker}))
    return person


@pytest.mark.timeout(60)
@pytest.mark.parametrize("worker", [0, 1])
@pytest.mark.parametrize("moves", [1, 2, 3])
def test_the_doubt_of_a_session_moves_with_it_within_its_host(secret: Keys, moves: int, worker: int) -> None:
    with History(secret) as history:
        person = come_back_to_what_moved(history, moves, worker)
        do(history, ("wait", {"seconds": DOUBTED_FOR + 2.0}))
        assert (person.chat, person.resumed) == (history.people[0].chat, 1)
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("worker", [0, 1])
def test_a_doubt_that_stays_behind_is_found(secret: Keys, worker: int) -> None:
    """The session is resumed at once where it moved, and so was its copy: both stay."""
    with MUTANTS[UNTOLD](), History(secret) as history:
        come_back_to_what_moved(history, 1, worker)
        with pytest.raises(Broken, match="no process doubts it"):
            do(history, ("wait", {"seconds": 2 * GIVEN_UP}))


def resume_a_copy_of_what_moves(history: History, moves: int) -> Person:
    """The client resumes the copy at the other host, and receives `resumed`. Return its user."""
    person = put_back_and_moved(history, moves)
    do(history, ("come", {"who": 1, "host": 0, "worker": 0}))
    do(history, ("turn", {"count": 8}))
    assert (person.chat, person.resumed) == (history.people[0].chat, 1)
    return person


@pytest.mark.timeout(60)
@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_a_session_whose_copy_was_resumed_ends_wherever_it_is_in_its_host(secret: Keys, moves: int) -> None:
    with History(secret) as history:
        person = resume_a_copy_of_what_moves(history, moves)
        do(history, ("settle", {"wholly": False}))
        assert (person.chat, person.resumed) == (history.people[0].chat, 1)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "away", [("cut_off", {"host": 0, "on": True, "bus": False}), ("die", {"host": 0, "name": "frontend"})]
)
def test_who_comes_back_while_the_other_host_does_not_answer_waits_no_longer_than_a_doubt(
    secret: Keys, away: Deed
) -> None:
    with History(secret) as history:
        person = lose_the_acknowledgement(history)
        do(history, away)
        do(history, ("wait", {"seconds": GIVEN_UP}))
        do(history, ("come", {"who": 1, "host": 1, "worker": 0}))
        do(history, ("wait", {"seconds": 1.0}))
        assert (person.resuming, person.resumed) == (True, 0)
        do(history, ("wait", {"seconds": DOUBTED_FOR}))
        assert (person.chat, person.resuming, person.resumed) == ("", False, 1)
        do(history, ("settle", {"wholly": True}))
