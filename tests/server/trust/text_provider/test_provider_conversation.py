"""Test a conversation with a provider under a clock of the test: answers once, in any order, and the end of a program that does not answer."""

from collections.abc import Callable

import orjson
import pytest

from server.trust.text_provider.provider_conversation import OPEN_MAX, START_MAX, WRONG_MAX, ProviderConversation
from server.trust.text_provider.provider_program import Misbehaved

BEGUN = b'{"without": [], "fault": ""}'


class Written:
    """A program that writes what the test says."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.waiting: list[bytes] = []

    def put(self, question: bytes) -> None:
        self.asked.append(question)

    def lines(self) -> list[bytes]:
        lines, self.waiting = self.waiting, []
        return lines


class Talk:
    """A conversation of two seconds with such a program, and its clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.program = Written()
        self.conversation = ProviderConversation(self.program, 2.0, lambda: self.now)  # type: ignore[arg-type]

    def hears(self, *lines: bytes) -> list[tuple[object, float]]:
        self.program.waiting += lines
        return [(one.about, one.seconds) for one in self.conversation.answers()]

    def begin(self) -> "Talk":
        assert self.hears(BEGUN) == []
        assert orjson.loads(self.program.asked[0]) == {"id": 0, "text": ""}
        assert self.conversation.room == 0
        assert self.hears(answer(0)) == []
        assert self.conversation.room == OPEN_MAX
        return self


def answer(id: int) -> bytes:
    return orjson.dumps({"id": id, "found": []})


def cause(what: Callable[[], object]) -> str:
    with pytest.raises(Misbehaved) as raised:
        what()
    return raised.value.cause


def test_answers_come_in_any_order_each_with_its_time() -> None:
    talk = Talk().begin()
    talk.conversation.ask("a", "x")
    talk.now = 1.0
    talk.conversation.ask("b", "y")
    talk.now = 1.5
    assert talk.hears(answer(2), answer(1)) == [("b", 0.5), ("a", 1.5)]


def test_a_second_answer_and_one_that_nobody_asked_for_count_as_wrong() -> None:
    talk = Talk().begin()
    talk.conversation.ask("a", "x")
    assert talk.hears(answer(1), answer(1), *[b"nonsense"] * (WRONG_MAX - 2)) == [("a", 0.0)]
    assert cause(lambda: talk.hears(answer(99))) == "malformed"


def test_no_answer_for_the_deadline_ends_it_and_a_slow_one_that_goes_on_does_not() -> None:
    talk = Talk().begin()
    talk.now = 100.0
    talk.conversation.check()  # no question is open
    for about in ("a", "b"):
        talk.conversation.ask(about, "x")
    talk.now = 101.9
    talk.hears(answer(1))
    talk.now = 103.8
    talk.conversation.check()
    assert talk.hears(answer(2)) == [("b", pytest.approx(3.8))]  # which the process counts as late
    talk.conversation.ask("c", "x")
    talk.now = 106.0
    assert cause(talk.conversation.check) == "late"


def test_a_program_may_take_a_minute_to_begin() -> None:
    talk = Talk()
    talk.now = START_MAX
    talk.conversation.check()
    talk.now = START_MAX + 0.1
    assert cause(talk.conversation.check) == "late"


def test_a_beginning_that_is_none_or_names_a_fault_ends_it() -> None:
    assert cause(lambda: Talk().hears(b"[]")) == "malformed"
    assert cause(lambda: Talk().hears(b'{"without": [], "fault": "there is no program x"}')) == "ended"
    assert cause(lambda: Talk().hears(b'{"without": ["network"], "fault": "no jail"}')) == "unjailed"
