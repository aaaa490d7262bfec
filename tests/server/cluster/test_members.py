"""Who is there, by what is heard of them alone."""

from __future__ import annotations

import pytest

from server.cluster.members import DEAD, MOST, SUSPECT, Beat, Members, read


def beat(node: str, people: int = 1, time: float = 1000.0, ends: bool = False) -> Beat:
    return Beat(node, "10.0.0.2:9467", "1.0", people, time, ends)


@pytest.fixture
def members() -> Members:
    return Members("me")


def states(members: Members, now: float) -> dict[str, str]:
    return {one.node: one.state for one in members.others(now)}


def test_who_is_heard_is_there_until_two_seconds_of_silence(members: Members) -> None:
    members.heard(beat("b"), 0.0, 1000.0)
    members.heard(beat("a"), SUSPECT, 1000.0)
    assert states(members, SUSPECT) == {"a": "serving", "b": "suspect"}
    members.advance(DEAD)
    assert states(members, DEAD) == {"a": "suspect"}
    members.heard(beat("a"), DEAD, 1000.0)
    assert states(members, DEAD) == {"a": "serving"}


def test_who_says_that_it_ends_is_gone_at_once(members: Members) -> None:
    members.heard(beat("b", people=7), 0.0, 1000.0)
    assert members.people == 7
    members.heard(beat("b", ends=True), 0.1, 1000.0)
    members.heard(beat("c", ends=True), 0.1, 1000.0)
    assert states(members, 0.1) == {}
    assert members.people == 0


def test_this_host_is_none_of_the_others_and_knows_that_it_is_heard(members: Members) -> None:
    assert members.own is None
    members.heard(beat("me", people=5), 3.0, 1000.0)
    assert members.own == 3.0
    assert (members.others(3.0), members.people) == ([], 0)


def test_a_clock_that_is_off_is_seen(members: Members) -> None:
    members.heard(beat("b", time=1042.0), 0.0, 1000.0)
    assert [one.ahead for one in members.others(0.0)] == [42.0]


def test_there_are_never_more_than_so_many(members: Members) -> None:
    for number in range(MOST + 5):
        members.heard(beat(f"{number:03}"), 0.0, 1000.0)
    members.heard(beat("000", people=9), 0.5, 1000.0)  # who is known is heard all the same
    assert len(members.others(0.5)) == MOST
    assert members.others(0.5)[0].people == 9


def test_what_a_newer_release_says_beside_is_passed_over() -> None:
    said = {**beat("b")._asdict(), "rates": {"text": 1.0}}
    assert read(said) == beat("b")


@pytest.mark.parametrize(
    "wrong",
    [
        None, [], "beat", {}, {"node": "b"},
        *[{**beat("b")._asdict(), name: what} for name, what in (
            ("node", 7), ("node", "b" * 17), ("address", "a" * 65), ("version", "1" * 65), ("people", -1), ("people", "1"), ("time", 1), ("ends", 0),
        )],
    ],
)  # fmt: skip
def test_what_is_no_beat_is_none(wrong: object) -> None:
    assert read(wrong) is None
