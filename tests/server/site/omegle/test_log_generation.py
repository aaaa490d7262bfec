"""`/generate`: a client's account is bounded, and holds nothing that a chat could not have held."""

import json
from typing import Any

from server.http.request.forms import Form
from server.site.omegle.log_generation import LINES_MAX, TEXT_MAX, account

HOSTILE = "a\x1b]0;title\x07\x9b31m\x85b\u2028c\u202ed"


def told(log: Any, topics: Any = ()) -> Form:
    return Form([("log", json.dumps(log)), ("topics", json.dumps(topics))])


def test_controls_and_turns_are_left_out_and_a_topic_is_one_line() -> None:
    said = account(
        told([["You:", HOSTILE], ["Question to discuss:", HOSTILE]], [HOSTILE, "x\n[12:00:00] Stranger 2: y"]), 0.0
    )
    assert said is not None
    assert [line.text for line in said.lines] == ["a]0;title31m\nb\ncd"]
    assert said.question == "a]0;title31m b cd"
    assert said.common == ("a]0;title31m b cd", "x [12:00:00] Stranger 2: y")


def test_an_account_is_bounded_and_marked() -> None:
    said = account(told([["You:", "x" * 3 * TEXT_MAX]] * (LINES_MAX + 5)), 7.0)
    assert said is not None
    assert (len(said.lines), len(said.lines[0].text), said.account) == (LINES_MAX, TEXT_MAX, True)


def test_what_is_no_log_is_none() -> None:
    for log in ([], {}, 5, [["You have disconnected."]], [["You:", 5]], [["Somebody:", "x"]]):
        assert account(told(log), 0.0) is None
    assert account(Form([("log", "no json")]), 0.0) is None
