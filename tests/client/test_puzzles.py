"""Test that the server's puzzles are solved, and that an invalid one costs no more than its bound."""

import threading
from typing import Any

import pytest

from serendip_client.puzzles import COST_MAX, solution
from server.trust.challenge.altcha_puzzles import TRIES
from server.trust.challenge.altcha_puzzles import Puzzles as Theirs

SESSION = 0x1234


@pytest.mark.parametrize("level", TRIES)
def test_what_the_server_makes_is_solved_as_it_wants_it(level: int) -> None:
    theirs = Theirs(bytes(range(32)), cost=1)
    response = solution(theirs.make(SESSION, level), threading.Event())
    assert response is not None
    assert theirs.right(SESSION, level, response)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "SCRYPT"},
        {"cost": COST_MAX + 1},
        {"cost": "x"},
        {"nonce": "xyz"},
        {"keyLength": 0},
        {"salt": None},
    ],
)
def test_what_is_none_or_too_dear_is_left(change: dict[str, Any]) -> None:
    made = Theirs(bytes(32), cost=1).make(SESSION, 1)
    made["parameters"] |= change
    assert solution(made, threading.Event()) is None
    assert solution({}, threading.Event()) is None


def test_who_is_told_to_stop_does() -> None:
    stop = threading.Event()
    stop.set()
    assert solution(Theirs(bytes(32), cost=1).make(SESSION, 1), stop) is None
