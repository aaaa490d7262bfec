"""A client comes back at another host than that of its chat, over connections between them that are slow or cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from server.fleet.processes.session_lookup import MOVES_FOR, REST
from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed, do
from tests.server.fleet.histories.history import CUTS, History
from tests.server.fleet.histories.people import Person

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def cut(**fate: Any) -> Deed:
    """Something happens to the next connection between hosts."""
    well = {"there": -1, "back": -1, "half": False, "silent": False, "slow": 0.0, "twice": ""}
    return "cut", {**well, **fate}


def meet(history: History) -> tuple[int, int, Person]:
    """Let two users of different hosts chat. Return the host of the chat, and the number and user whose connection is there too."""
    do(history, ("meet", {"who": 0, "other": 1, "host": 0, "worker": 0, "turns": 34, "count": 1}))
    do(history, ("wait", {"seconds": 0.3}))
    place = history.place_of(0)
    assert place is not None
    there = next(who for who in (0, 1) if (at := history.people[who].at) is not None and at[0] == place)
    return place, there, history.people[there]


@contextmanager
def one_returns(secret: Keys, *deeds: Deed) -> Iterator[Person]:
    """Let two users chat, do these deeds, and let the user at the host of the chat resume at the other host; then heal the network."""
    with History(secret) as history:
        place, there, person = meet(history)
        assert person.chat
        for deed in deeds:
            do(history, deed)
        do(history, ("blink", {"who": there, "host": 1 - place, "worker": 1, "turns": 2}))
        do(history, ("wait", {"seconds": 7.0}))
        yield person
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
def test_who_comes_back_at_another_host_over_a_slow_connection_goes_on_in_their_chat(secret: Keys) -> None:
    """Request and answer take 1.4 seconds, longer than a session waits that could stay where it is."""
    with one_returns(secret, cut(slow=0.7)) as person:
        assert (bool(person.chat), person.resumed) == (True, 1)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(("there", "back"), [(0, -1), (-1, 0)])
def test_who_comes_back_over_a_connection_that_is_cut_before_it_is_answered_goes_on_in_their_chat(
    secret: Keys, there: int, back: int, half: bool, silent: bool
) -> None:
    with one_returns(secret, cut(there=there, back=back, half=half, silent=silent)) as person:
        assert (bool(person.chat), person.resumed) == (True, 1)


@pytest.mark.timeout(60)
def test_who_comes_back_over_connections_of_which_the_last_is_whole_goes_on_in_their_chat(secret: Keys) -> None:
    with one_returns(secret, *[cut(there=0)] * (CUTS - 1)) as person:
        assert (bool(person.chat), person.resumed) == (True, 1)


@pytest.mark.timeout(60)
def test_who_comes_back_over_connections_that_are_all_cut_is_told_so(secret: Keys) -> None:
    with one_returns(secret, *[cut(there=0)] * round(MOVES_FOR / REST + 2)) as person:
        assert (person.chat, person.resumed, person.resuming) == ("", 0, False)


@pytest.mark.timeout(60)
def test_who_comes_back_over_silent_connections_of_which_the_last_is_whole_goes_on_in_their_chat(secret: Keys) -> None:
    with one_returns(secret, *[cut(there=0, silent=True)] * (CUTS - 1)) as person:
        assert (bool(person.chat), person.resumed) == (True, 1)


@pytest.mark.timeout(60)
def test_who_dropped_as_their_resume_waited_and_has_resumed_since_is_not_replaced_by_it(secret: Keys) -> None:
    """The first connection is put back once the one between the hosts ends, silent for three seconds: its client has dropped it."""
    with History(secret) as history:
        place, there, person = meet(history)
        do(history, ("leave", {"who": there}))
        do(history, ("wait", {"seconds": 0.3}))
        do(history, cut(there=0, silent=True))
        do(history, ("blink", {"who": there, "host": 1 - place, "worker": 1, "turns": 2}))
        do(history, ("wait", {"seconds": 0.3}))
        assert person.resuming
        do(history, ("blink", {"who": there, "host": 1 - place, "worker": 1, "turns": 2}))
        do(history, ("wait", {"seconds": 6.0}))
        assert (person.resumed, person.here) == (1, True)
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
def test_who_dropped_as_their_resume_was_on_its_way_and_has_resumed_since_is_not_replaced_by_it(secret: Keys) -> None:
    """The request takes 0.2 seconds to the host of the chat; its client is there by then, by another connection."""
    with History(secret) as history:
        place, there, person = meet(history)
        do(history, cut(slow=0.2))
        do(history, ("blink", {"who": there, "host": 1 - place, "worker": 1, "turns": 2}))
        do(history, ("wait", {"seconds": 0.1}))
        assert person.resuming
        do(history, ("blink", {"who": there, "host": place, "worker": 0, "turns": 2}))
        do(history, ("wait", {"seconds": 3.0}))
        assert (bool(person.chat), person.resumed, person.here) == (True, 1, True)
        do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
def test_who_dropped_as_go_of_their_resume_was_on_its_way_and_has_resumed_since_is_not_replaced_by_it(
    secret: Keys,
) -> None:
    """GO takes 0.2 seconds to the host of the chat, as long as the request and its answer each; a newer connection is there before it."""
    with History(secret) as history:
        place, there, person = meet(history)
        do(history, cut(slow=0.2))
        do(history, ("blink", {"who": there, "host": 1 - place, "worker": 1, "turns": 2}))
        do(history, ("wait", {"seconds": 0.5}))
        assert person.resuming
        do(history, ("blink", {"who": there, "host": 1 - place, "worker": 1, "turns": 2}))
        do(history, ("wait", {"seconds": 3.0}))
        assert (bool(person.chat), person.resumed, person.here) == (True, 1, True)
        do(history, ("settle", {"wholly": False}))
