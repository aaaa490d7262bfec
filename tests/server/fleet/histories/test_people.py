"""What a user of a history takes for a fault, and what not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.actions import Deed
from tests.server.fleet.histories.people import Person
from tests.server.fleet.histories.run import played

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

NOTHING: dict[str, Any] = {"type": "resumed", "chat": None}
# an answer to no request: the session goes on, a request may be lost
ASK: dict[str, Any] = {"type": "error", "of": "resume", "code": "no_session"}


def resumed(chat: str) -> dict[str, Any]:
    """They are in a chat again."""
    return {"type": "resumed", "chat": chat, "taken": 0}


@contextmanager
def searched(faults: list[str], repeats: bool = True, resumed: bool = True) -> Iterator[Person]:
    """A user who was matched by a first search. `repeats`: they were resumed during it, or told to ask again, and sent `find` again."""
    person = Person("a", faults.append, lambda _: False, lambda _: False)
    person._sock, server = socket.socketpair()
    with person._sock, server:
        person._hear({"type": "hello", "session": "1", "token": "first"})
        person.find("sailing")
        if repeats:
            if resumed:
                person.resuming = True
                person._hear({"type": "hello", "session": "2", "token": "second"})
            person._hear(NOTHING if resumed else ASK)
            person.find("sailing")
        person._hear({"type": "matched", "chat": "found by the first search"})
        yield person


@pytest.mark.parametrize("repeats", [True, False])
async def test_only_a_search_repeated_after_a_resume_explains_that_they_are_resumed_in_another_chat(
    repeats: bool,
) -> None:
    """The first search goes on after the resume, and finds a partner. The server reads the second `find` then, and ends that chat for another."""
    faults: list[str] = []
    with searched(faults, repeats) as person:
        person.resuming = True
        person._hear({"type": "hello", "session": "3", "token": "third"})
        person._hear(resumed("found by the second search"))
    assert faults == ([] if repeats else ["a is resumed into another chat"])
    assert person.chat == "found by the second search"


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize(
    "told", [{"type": "waiting"}, {"type": "left"}, {"type": "matched", "chat": "found by the second search"}]
)
async def test_they_say_nothing_in_a_chat_that_a_repeated_search_may_be_ending(
    told: dict[str, Any], resumed: bool
) -> None:
    """A line could reach the partner of the second search. A message about that search lets the user speak again."""
    faults: list[str] = []
    with searched(faults, resumed=resumed) as person:
        person.say()
        assert not person.lines
        person._hear(told)
        if told["type"] != "matched":
            person._hear({"type": "matched", "chat": "found by the second search"})
        person.say()
    assert not faults
    assert (person.chat, person.lines) == ("found by the second search", 1)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("turns", [0, 1, 2])
def test_who_searches_twice_and_is_matched_by_both_searches_is_heard_by_no_other_partner(
    secret: Keys, before: int, turns: int
) -> None:
    """Users and workers are numbers. The first one is resumed while they search, is matched by that search and repeats it."""
    at: dict[str, Any] = {"host": 0, "worker": 1}
    deeds: tuple[Deed, ...] = (
        ("come", {"who": 0, **at}),
        ("come", {"who": 1, "host": 0, "worker": 0}),
        ("turn", {"count": 8}),
        ("find", {"first": 0, "count": 1}),
        ("turn", {"count": 13}),
        ("begin", {"who": 3, "closes": False, **at}),
        ("blink", {"who": 0, **at, "turns": 8}),
        ("turn", {"count": before}),
        ("find", {"first": 0, "count": 2}),
        ("turn", {"count": turns}),
        ("say", {"who": 0, "count": 5}),
        ("turn", {"count": 8}),
        ("settle", {"wholly": False}),
    )
    assert not played(0, secret, deeds).fault
