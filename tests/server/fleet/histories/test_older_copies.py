"""A chat goes on where it is put back, and that worker dies before it knows of the copy at another host, which is older than what clients heard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from server.fleet.roaming.migration_source import TOOK_WITHIN
from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed, do
from tests.server.fleet.histories.history import History

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

HOME, AWAY = 0, 1  # hosts: of the chat, and of its copy
BOTH = (0, 1)  # users


def cut(**fate: Any) -> Deed:
    """Something happens to the next connection between hosts."""
    well = {"there": -1, "back": -1, "half": False, "silent": False, "slow": 0.0, "twice": ""}
    return "cut", {**well, **fate}


def come(who: int, host: int) -> Deed:
    """A client connects to the first worker of a host."""
    return "come", {"who": who, "host": host, "worker": 0}


def say(who: int, count: int) -> Deed:
    """Lines are said."""
    return "say", {"who": who, "count": count}


@contextmanager
def copied(secret: Keys, *meanwhile: Deed) -> Iterator[History]:
    """Let two users of one worker chat, and be moved to another host without an acknowledgement, of which no process of that host hears. These deeds
    are done before they are put back.
    """
    with History(secret) as history:
        for who in BOTH:
            do(history, come(who, HOME))
        do(history, ("turn", {"count": 8}))
        do(history, ("find", {"first": 0, "count": 2}))
        do(history, ("turn", {"count": 21}))
        do(history, say(0, 1))
        do(history, ("wait", {"seconds": 0.02}))
        do(history, cut(back=1, silent=True))  # the answer passes; not the acknowledgement
        do(history, cut(there=0, silent=True))  # the request to forget the copy
        do(history, ("evacuate", {"host": HOME, "worker": 0}))
        do(history, ("wait", {"seconds": 0.3}))
        assert [history.place_of(who) for who in BOTH] == [AWAY, AWAY]
        for deed in meanwhile:
            do(history, deed)
        do(history, ("wait", {"seconds": TOOK_WITHIN}))
        assert [history.place_of(who) for who in BOTH] == [HOME, HOME]
        yield history


def lost(history: History) -> None:
    """The worker dies, and the copy is all that is left."""
    do(history, ("die", {"host": HOME, "name": "worker 1"}))
    assert [history.place_of(who) for who in BOTH] == [AWAY, AWAY]


def have_lost(history: History) -> None:
    """Both were told that their chat is over, and have their sessions."""
    for who in BOTH:
        person = history.people[who]
        assert (person.chat, person.ends, person.session != person.fresh) == ("", 1, True)
    do(history, ("settle", {"wholly": False}))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("first", BOTH)
def test_who_heard_lines_that_the_copy_of_their_chat_has_not_is_told_that_it_is_lost(secret: Keys, first: int) -> None:
    with copied(secret) as history:
        do(history, say(0, 2))
        do(history, say(1, 2))
        do(history, ("wait", {"seconds": 0.02}))
        lost(history)
        for who in (first, 1 - first):
            do(history, come(who, AWAY))
            do(history, ("wait", {"seconds": 0.3}))
        have_lost(history)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("deeds", [[], [say(1, 1)]])
def test_lines_said_again_in_the_copy_do_not_count_as_those_that_the_partner_heard(
    secret: Keys, deeds: list[Deed]
) -> None:
    """One says lines, drops, and is the first to come back. What the other said (`deeds`) was not heard, but had numbers among those lines."""
    with copied(secret, *deeds, say(0, 2), ("drop", {"who": 0})) as history:
        lost(history)
        do(history, come(0, AWAY))
        do(history, ("wait", {"seconds": 0.3}))
        do(history, say(0, 3))
        do(history, come(1, AWAY))
        do(history, ("wait", {"seconds": 0.3}))
        have_lost(history)


@pytest.mark.timeout(60)
def test_who_heard_no_more_than_the_copy_of_their_chat_has_goes_on_in_it(secret: Keys) -> None:
    with copied(secret) as history:
        lost(history)
        for who in BOTH:
            do(history, come(who, AWAY))
        do(history, ("wait", {"seconds": 0.3}))
        assert [history.people[who].ends for who in BOTH] == [0, 0]
        do(history, say(0, 2))
        do(history, ("settle", {"wholly": False}))
