"""Test which lines wait for a provider, and how its answers are used."""

import socket
from collections.abc import Iterator

import orjson
import pytest

from server.trust.text_provider.provider_conversation import Answer
from server.trust.text_provider.provider_process import (
    STALE,
    WAITING_MAX,
    WRITER_MAX,
    Asked,
    Line,
    ProviderChoice,
    ProviderProcess,
    WaitingLines,
)
from server.trust.text_provider.provider_protocol import CLASSES, FindingUse, ProviderFinding

USE = FindingUse(frozenset(CLASSES), 0.5, 0.9, only_tips=False)


def line(chat: int, number: int, at: float = 0.0) -> Line:
    return Line(chat, 0, number, "hello", at)


def test_writers_take_turns_and_one_who_writes_much_loses_the_oldest_lines() -> None:
    waiting = WaitingLines()
    for number in range(1, WRITER_MAX + 5):
        waiting.add(line(1, number))
    waiting.add(line(2, 1))
    assert waiting.dropped == 4
    order = [(one.chat, one.number) for one in iter(lambda: waiting.take(0.0), None)]
    assert order == [(1, 5), (2, 1), *[(1, number) for number in range(6, WRITER_MAX + 5)]]


def test_what_waits_is_bounded_and_a_stale_line_is_dropped() -> None:
    waiting = WaitingLines()
    for chat in range(WAITING_MAX + 10):
        waiting.add(line(chat, 1))
    assert len(waiting) == WAITING_MAX
    assert waiting.dropped == 10
    assert waiting.take(STALE + 1) is None
    assert len(waiting) == 0
    assert waiting.dropped == WAITING_MAX + 10


def test_a_choice_is_passed_on_whole() -> None:
    choice = ProviderChoice(("a", "b"), "", 5, 2.0, USE)
    assert ProviderChoice.unpack(choice.pack()) == choice


class Talk:
    """A conversation of which answers are given by the test."""

    deadline = 2.0
    is_ready = True


@pytest.fixture
def process() -> Iterator[tuple[ProviderProcess, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ProviderProcess(theirs, None, Talk(), USE), ours  # type: ignore[arg-type]


def test_an_answer_after_the_deadline_is_counted_and_finds_nothing(
    process: tuple[ProviderProcess, socket.socket],
) -> None:
    one, _ = process
    found = (ProviderFinding("hate", 0.7, ""), ProviderFinding("hate", 0.6, "x"), ProviderFinding("money", 0.4, ""))
    assert one._take(Answer(line(7, 3), found, 1.9)) == [(7, 0, 3, "hate.provider.low")]
    assert one._take(Answer(line(7, 4), found, 2.1)) == []
    assert (one._answered, one._late) == (1, 1)


def test_what_the_server_asks_is_answered_with_words(process: tuple[ProviderProcess, socket.socket]) -> None:
    one, ours = process
    assert one._take(Answer(Asked(5, "x"), (ProviderFinding("threat", 0.95, "x"),), 0.1)) == []
    assert orjson.loads(ours.recv(4096)) == {"told": 5, "found": [["threat.provider", 0.95, "x"]]}
