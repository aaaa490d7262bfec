"""Of sessions that came it is known for a while by which request, and where they moved on to."""

from __future__ import annotations

from typing import Any

import pytest

from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.roaming import arrivals as module
from server.fleet.roaming.arrivals import Arrivals

NODE = "00000000aa"


class Came:
    """A session, of which only id and key are read."""

    def __init__(self, id: int, key: int) -> None:
        self.id = id
        self.key = key


def made() -> tuple[Arrivals, ForwardingTable]:
    """Those of a process, and its forwarding table."""
    forwarding = ForwardingTable(lambda *_: None)
    return Arrivals(NODE, forwarding), forwarding


def come(arrivals: Arrivals, nonce: bytes, *people: tuple[int, int]) -> None:
    """Sessions came with a request: ids and keys."""
    came: list[Any] = [Came(*one) for one in people]
    arrivals.add(nonce, came)


@pytest.mark.parametrize(
    ("name", "where"), [("worker 2", (NODE, 2)), ("@00000000bb 1", ("00000000bb", 1)), ("next worker 2", None)]
)
async def test_a_request_is_told_apart_from_a_later_one_with_the_same_session(name: str, where: Any) -> None:
    arrivals, forwarding = made()
    come(arrivals, b"one", (1, 10), (2, 20))
    assert arrivals.of(b"one") == [(1, 10), (2, 20)]
    moves = forwarding.sent([{"id": 1}])
    assert (arrivals.is_leaving(1), arrivals.is_leaving(2), arrivals.went(1)) == (True, False, None)
    forwarding.ended(moves, name)
    assert (arrivals.is_leaving(1), arrivals.went(1)) == (False, where)
    come(arrivals, b"two", (1, 10))
    assert (arrivals.of(b"one"), arrivals.of(b"two")) == ([(2, 20)], [(1, 10)])
    ((id, earlier),) = arrivals.earlier(b"one")
    assert (id, earlier.resumed, earlier.where) == (1, False, where)
    assert list(arrivals.earlier(b"two")) == []


async def test_it_is_known_that_a_session_was_resumed_before_it_returned() -> None:
    arrivals, _ = made()
    come(arrivals, b"one", (1, 10), (2, 20))
    arrivals.returned(1, 11)
    arrivals.returned(2, 20)
    arrivals.returned(3, 30)
    assert [arrivals.was_resumed(*one) for one in ((1, 10), (1, 11), (2, 20), (3, 30))] == [True, False, False, False]
    come(arrivals, b"two", (1, 10))
    assert [one.resumed for _, one in arrivals.earlier(b"one")] == [True]


async def test_what_ended_is_another_session_than_one_that_comes_later() -> None:
    arrivals, _ = made()
    come(arrivals, b"one", (1, 10))
    arrivals.forget(1)
    come(arrivals, b"two", (1, 10))
    assert (arrivals.of(b"one"), list(arrivals.earlier(b"one"))) == ([], [])


async def test_it_is_known_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals, _ = made()
    come(arrivals, b"one", (1, 10))
    come(arrivals, b"two", (1, 10))
    monkeypatch.setattr(module, "REMEMBERED", 0.0)
    come(arrivals, b"three")
    assert (arrivals.of(b"two"), list(arrivals.earlier(b"one"))) == ([], [])


async def test_a_request_of_which_a_session_came_anew_is_known_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    arrivals, forwarding = made()
    come(arrivals, b"one", (1, 10), (2, 20))
    come(arrivals, b"other", (3, 30))
    forwarding.ended(forwarding.sent([{"id": 1}]), "worker 2")
    come(arrivals, b"two", (1, 10))
    assert [*arrivals._requests] == [b"other", b"two", b"one"]
    arrivals.forget(3)
    monkeypatch.setattr(module, "REMEMBERED", 0.0)
    come(arrivals, b"three")
    assert ([*arrivals._requests], arrivals._last) == ([b"three"], {})
