"""Test that a solved ALTCHA puzzle is accepted once, from its own session and level, and nothing else is."""

import base64
from collections.abc import Callable
from typing import Any

import altcha
import orjson
import pytest

from server.trust.challenge import altcha_puzzles as module
from server.trust.challenge.altcha_puzzles import LIFE, TRIES, Puzzles

SESSION, KEY = 0x1234, bytes(range(32))


class Clock:
    def __init__(self) -> None:
        self.now = 2_000_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Ours, and the library's."""
    clock = Clock()
    monkeypatch.setattr("altcha.v2.time.time", clock)
    return clock


@pytest.fixture
def puzzles(clock: Clock) -> Puzzles:
    """As they are, but for the work."""
    return Puzzles(KEY, clock, cost=1)


def solved(parameters: dict[str, Any]) -> str:
    """The answer of a client."""
    challenge = altcha.Challenge.from_dict(parameters)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()


@pytest.mark.parametrize("level", TRIES)
def test_a_solved_one_is_taken_once(puzzles: Puzzles, level: int) -> None:
    answer = solved(puzzles.make(SESSION, level))
    counter = orjson.loads(base64.b64decode(answer))["solution"]["counter"]
    assert TRIES[level][0] <= counter <= TRIES[level][1]
    assert puzzles.right(SESSION, level, answer)
    assert not puzzles.right(SESSION, level, answer), "the library would take it again"


def test_it_is_of_one_session_and_level(puzzles: Puzzles) -> None:
    answer = solved(puzzles.make(SESSION, 1))
    assert not puzzles.right(SESSION + 1, 1, answer)
    assert not puzzles.right(SESSION, 2, answer)
    assert puzzles.right(SESSION, 1, answer)


def test_it_expires(puzzles: Puzzles, clock: Clock) -> None:
    answer = solved(puzzles.make(SESSION, 1))
    clock.now += LIFE
    assert not puzzles.right(SESSION, 1, answer)


def test_another_service_s_is_not_taken_and_another_process_s_of_this_one_is(puzzles: Puzzles, clock: Clock) -> None:
    answer = solved(puzzles.make(SESSION, 1))
    assert not Puzzles(bytes(32), clock, cost=1).right(SESSION, 1, answer)
    assert Puzzles(KEY, clock, cost=1).right(SESSION, 1, answer)


def changed(answer: str, change: Callable[[dict[str, Any]], None]) -> str:
    body = orjson.loads(base64.b64decode(answer))
    change(body)
    return base64.b64encode(orjson.dumps(body)).decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["challenge"]["parameters"]["data"].update(l=1),
        lambda body: body["challenge"]["parameters"].update(keyPrefix="0"),
        lambda body: body["challenge"]["parameters"].update(expiresAt=4_000_000_000),
        lambda body: body["challenge"]["parameters"].pop("expiresAt"),
        lambda body: body["challenge"].update(signature=None),
        lambda body: body["solution"].update(derivedKey="00" * 32),
        lambda body: body["solution"].update(derivedKey=7),
    ],
    ids=["level", "prefix", "expiry", "no expiry", "no signature", "key", "no key"],
)
def test_an_altered_one_is_not_taken(puzzles: Puzzles, change: Callable[[dict[str, Any]], None]) -> None:
    assert not puzzles.right(SESSION, 2, changed(solved(puzzles.make(SESSION, 2)), change))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "x",
        "\u00e9",
        "====",
        "bnVsbA==",
        "W10=",
        "e30=",
        base64.b64encode(b'{"challenge":' * 500).decode(),
        "A" * 8192,
    ],
)
def test_what_is_no_answer_is_wrong_and_no_fault(puzzles: Puzzles, answer: str) -> None:
    assert not puzzles.right(SESSION, 1, answer)


def test_what_was_solved_is_remembered_until_it_expires_and_no_puzzle_is_made_beyond(clock: Clock) -> None:
    puzzles = Puzzles(KEY, clock, cost=1, most=2)
    answers = [solved(puzzles.make(SESSION, 1)) for _ in range(3)]
    assert [puzzles.right(SESSION, 1, answer) for answer in answers] == [True, True, False]
    assert puzzles.full
    assert not any(puzzles.right(SESSION, 1, answer) for answer in answers)
    clock.now += LIFE + 1
    assert not puzzles.full


def test_the_work_is_what_it_says() -> None:
    assert module.COST == 5_000, "a thousand tries a second of a desktop"
    made = Puzzles(KEY).make(SESSION, 1)["parameters"]
    assert (made["algorithm"], made["cost"], made["keyLength"]) == ("PBKDF2/SHA-256", 5_000, 32)
