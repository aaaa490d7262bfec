"""Who is asked for a challenge, what their search does meanwhile, and what becomes of right and wrong answers."""

from typing import Any

import pytest

from engine.core.session import Session
from engine.wire.protocol import CHALLENGE_WAITS, PLAIN, PROGRAM
from engine.wire.rule_constants import Settings
from tests.engine.world import Wire, World

HERE = "192.0.2.1"


class Server:
    """Makes challenges whose answer is "right N", N being the level; a client of another wire waits."""

    def __init__(self, **more: Any) -> None:
        self.asked: list[int] = []
        self.busy = False
        self.later = False
        self.world = World(
            Settings(**{"challenges": True, "find_burst": 1_000, **more}),
            make_challenge=self.ask,
            check_answer=self.check,
        )

    def ask(self, session: Session, level: int) -> float:
        if session.way & (PLAIN | PROGRAM):
            return CHALLENGE_WAITS[level]
        self.asked.append(level)
        return -1.0 if self.busy else 0.0

    def check(self, session: Session, level: int, kind: str, response: str) -> bool | None:
        return None if self.later else response == f"right {level}"

    def make(self, wire: Wire, level: int) -> list[dict[str, Any]]:
        """The challenge that was asked for is there."""
        self.world.engine.challenge(wire.session, "altcha", level, {"hard": level}, 600.0, self.world.now)
        return wire.take()

    def somebody(self, points: int = 0, identity: int = 7, **find: Any) -> Wire:
        """Their first search, with so many points (0, 3 or more)."""
        wire = self.world.open(identity, HERE)
        wire.take()
        friction = self.world.engine.friction
        if points >= 3:
            friction.opener(wire.session.person, self.world.now)
        for reporter in range(max(0, points - 3) // 2):
            friction.reported(wire.session.person, reporter, self.world.now)
        return wire


def kinds(got: list[dict[str, Any]]) -> list[str]:
    return [frame.get("code") or frame["type"] for frame in got]


@pytest.fixture
def server() -> Server:
    return Server()


def test_nobody_is_asked_on_a_first_visit(server: Server) -> None:
    assert kinds(server.world.send(server.somebody(identity=0), type="find")) == ["waiting"]
    assert server.asked == []


def test_who_has_points_is_asked_and_searches_when_they_solved_it(server: Server) -> None:
    a = server.somebody(3)
    assert kinds(server.world.send(a, type="find")) == ["challenge"]
    assert server.make(a, 1) == [{"type": "challenge", "kind": "altcha", "parameters": {"hard": 1}, "within": 600.0}]
    assert kinds(server.world.send(a, type="find")) == ["challenge", "challenge"], "told again, then refused"
    assert server.asked == [1], "and not made again"
    assert server.world.send(a, type="solution", kind="altcha", response="right 1") == [
        {"type": "solved", "kind": "altcha"}
    ]
    assert kinds(server.world.send(a, type="find")) == ["waiting"]
    server.world.wait(1_700)
    assert kinds(server.world.send(a, type="find"))[-1] == "waiting"
    server.world.wait(101)
    assert kinds(server.world.send(a, type="find"))[-1] == "challenge", "good for half an hour"


def test_a_search_that_waits_is_set_aside_and_keeps_its_age(server: Server) -> None:
    a, b = server.somebody(), server.world.open(0, "192.0.2.2")
    assert kinds(server.world.send(a, type="find", interests=["go"])) == ["waiting"]
    server.world.engine.friction.opener(7, server.world.now)
    server.world.send(a, type="find", interests=["go"])
    assert kinds(server.world.send(b, type="find", interests=["go"])) == ["hello", "waiting"]
    server.make(a, 1)
    server.world.send(a, type="solution", kind="altcha", response="right 1")
    assert kinds(server.world.send(a, type="find", interests=["go"])) == ["matched"]


def test_a_chat_goes_on_while_the_next_search_is_refused(server: Server) -> None:
    a, b = server.somebody(), server.world.open(0, "192.0.2.2")
    for wire in (a, b):
        server.world.send(wire, type="find")
        wire.take()
    a.take()
    server.world.engine.friction.opener(7, server.world.now)
    assert kinds(server.world.send(a, type="find")) == ["challenge"]
    assert b.take() == []
    server.world.say(a, "still here")
    assert kinds(b.take()) == ["message"]


def test_more_points_ask_for_a_higher_level_and_a_lower_solution_is_not_taken(server: Server) -> None:
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.make(a, 1)
    for reporter in (1, 2):
        server.world.engine.friction.reported(7, reporter, server.world.now)
    server.world.send(a, type="find")
    assert server.asked == [1, 3]
    assert kinds(server.world.send(a, type="solution", kind="altcha", response="right 1")) == ["challenge"]
    assert server.make(a, 1) == [], "the one that was asked for first comes too late"
    assert kinds(server.make(a, 3)) == ["challenge"]
    assert kinds(server.world.send(a, type="solution", kind="altcha", response="right 3")) == ["solved"]


def test_whom_no_challenge_helps_is_refused_for_a_while() -> None:
    server = Server()
    a = server.somebody(7, identity=7)
    server.world.engine.friction.barred(HERE, bytes(16), server.world.now)
    (error,) = server.world.send(a, type="find")
    assert (error["code"], error["of"], error["retry_after"]) == ("too_fast", "find", 60)
    assert server.asked == []


def test_wrong_answers_raise_the_level_and_three_in_a_minute_end_it_for_a_minute(server: Server) -> None:
    a = server.somebody(3)
    server.world.send(a, type="find")
    for level in (1, 2):
        server.make(a, level)
        assert server.world.send(a, type="solution", kind="altcha", response="wrong") == []
    assert server.asked == [1, 2, 3]
    server.make(a, 3)
    (error,) = server.world.send(a, type="solution", kind="altcha", response="wrong")
    assert (error["code"], error["of"], error["retry_after"]) == ("too_fast", "solution", 60.0)
    (error,) = server.world.send(a, type="find")
    assert (error["code"], error["of"]) == ("too_fast", "find")
    server.world.wait(61)
    assert kinds(server.world.send(a, type="find")) == ["challenge"]
    assert server.asked == [1, 2, 3, 3]


@pytest.mark.parametrize("frame", [{"kind": "hcaptcha", "response": "right 1"}, {"kind": "", "response": ""}])
def test_an_answer_to_another_kind_is_a_bad_field(server: Server, frame: dict[str, str]) -> None:
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.make(a, 1)
    assert kinds(server.world.send(a, type="solution", **frame)) == ["bad_field"]


def test_an_answer_that_nobody_asked_for_is_refused(server: Server) -> None:
    a = server.somebody()
    assert kinds(server.world.send(a, type="solution", kind="altcha", response="right 1")) == ["challenge"]
    assert "challenge altcha 1 solved" not in server.world.engine.tally


def test_a_challenge_runs_out_and_another_one_is_made(server: Server) -> None:
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.make(a, 1)
    server.world.wait(600)
    assert kinds(server.world.send(a, type="solution", kind="altcha", response="right 1")) == ["challenge"]
    assert server.asked == [1, 1]
    server.make(a, 1)
    assert kinds(server.world.send(a, type="solution", kind="altcha", response="right 1")) == ["solved"]


def test_an_answer_that_is_checked_elsewhere_is_told_later(server: Server) -> None:
    server.later = True
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.make(a, 1)
    assert server.world.send(a, type="solution", kind="altcha", response="?") == []
    assert kinds(server.world.send(a, type="solution", kind="altcha", response="?")) == ["challenge"]
    server.world.engine.judged(a.session, 1, True, server.world.now)
    assert kinds(a.take()) == ["solved"]
    assert kinds(server.world.send(a, type="find")) == ["waiting"]


def test_in_the_place_of_one_that_cannot_be_checked_another_comes(server: Server) -> None:
    server.later = True
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.make(a, 1)
    server.world.send(a, type="solution", kind="altcha", response="?")
    server.world.engine.unchecked(a.session, 2, 0.0, server.world.now)
    assert server.asked == [1], "another one is meant"
    server.world.engine.unchecked(a.session, 1, 0.0, server.world.now)
    assert server.asked == [1, 1]
    assert kinds(server.make(a, 1)) == ["challenge"]
    server.world.engine.unchecked(a.session, 1, 0.0, server.world.now)
    server.later = False
    server.make(a, 1)
    assert kinds(server.world.send(a, type="solution", kind="altcha", response="right 1")) == ["solved"]
    server.world.engine.unchecked(a.session, 1, 0.0, server.world.now)
    assert a.take() == []


def test_who_can_solve_no_other_waits_and_without_another_way_nobody_searches_for_a_moment(server: Server) -> None:
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.make(a, 1)
    a.session.way = PROGRAM
    server.world.engine.unchecked(a.session, 1, 0.0, server.world.now)
    (error,) = a.take()
    assert (error["code"], error["of"], error["retry_after"]) == ("too_fast", "find", 3.0)
    server.world.wait(3)
    assert kinds(server.world.send(a, type="find")) == ["waiting"]
    b = server.somebody(3, identity=8)
    server.world.send(b, type="find")
    server.make(b, 1)
    server.world.engine.unchecked(b.session, 1, 10.0, server.world.now)
    (error,) = b.take()
    assert (error["code"], error["of"], error["retry_after"]) == ("too_fast", "solution", 10.0)
    assert kinds(server.world.send(b, type="find")) == ["too_fast"]
    server.world.wait(10)
    assert kinds(server.world.send(b, type="find")) == ["challenge"]
    server.busy = True
    server.make(b, 1)
    server.world.engine.unchecked(b.session, 1, 0.0, server.world.now)
    assert b.closed == 1013


def test_who_cannot_solve_any_waits_and_is_told_how_long(server: Server) -> None:
    a = server.somebody(3)
    a.session.way = PLAIN
    (error,) = server.world.send(a, type="find")
    assert (error["code"], error["retry_after"]) == ("too_fast", 3.0)
    server.world.wait(2)
    assert server.world.send(a, type="find")[0]["retry_after"] == pytest.approx(1.0)
    server.world.wait(1)
    assert kinds(server.world.send(a, type="find")) == ["waiting"]
    assert server.asked == []


def test_where_too_many_wait_for_one_the_connection_ends_busy(server: Server) -> None:
    server.busy = True
    a = server.somebody(3)
    assert server.world.send(a, type="find")[-1]["code"] == "busy"
    assert a.closed == 1013


def test_one_that_could_not_be_made_is_asked_for_anew(server: Server) -> None:
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.world.engine.unmade(a.session, 1)
    server.world.send(a, type="find")
    assert server.asked == [1, 1]


def test_everybody_is_asked_first_where_the_operator_wants_it() -> None:
    server = Server(challenge_first=True)
    a = server.somebody()
    assert kinds(server.world.send(a, type="find")) == ["challenge"]
    server.make(a, 1)
    server.world.send(a, type="solution", kind="altcha", response="right 1")
    assert kinds(server.world.send(a, type="find")) == ["waiting"]


def test_where_challenges_are_off_nothing_is_counted() -> None:
    server = Server(challenges=False)
    a = server.somebody(7)
    assert kinds(server.world.send(a, type="find")) == ["waiting"]


def test_an_open_challenge_holds_across_resume(server: Server) -> None:
    a = server.somebody(3)
    server.world.send(a, type="find")
    server.make(a, 1)
    server.world.lose(a)
    back = server.world.resume(a, identity=7)
    back.take()
    assert kinds(server.world.send(back, type="find")) == ["challenge", "challenge"]
    assert kinds(server.world.send(back, type="solution", kind="altcha", response="right 1")) == ["solved"]


def test_partners_who_end_chats_soon_after_ones_first_line_count(server: Server) -> None:
    a = server.somebody()
    for _ in range(6):
        b = server.world.open(0, "192.0.2.2")
        server.world.send(a, type="find")
        server.world.send(b, type="find")
        server.world.say(a, "buy this")
        server.world.send(b, type="leave")
        server.world.wait(700 / 10)
    assert server.asked == [], "two points, less the first whose time is over"
    a.take()
    for _ in range(6):
        b = server.world.open(0, f"192.0.2.{_ + 9}")
        a.take()
        if kinds(server.world.send(a, type="find"))[-1] == "challenge":
            break
        server.world.send(b, type="find")
        server.world.say(a, "buy this")
        server.world.send(b, type="leave")
    assert server.asked == [1]
