"""Who is there, by what is heard of them alone."""

from __future__ import annotations

import orjson
import pytest

from engine.engine import VERSION
from server.fleet.cluster.membership import CLOCK_BEATS, DEAD, MOST, SUSPECT, Beat, Membership, Post, Share, order, read
from server.fleet.cluster.waiting_room_messages import ROOM


def beat(node: str, people: int = 1, time: float = 1000.0, ends: bool = False) -> Beat:
    return Beat(node, "10.0.0.2:9467", "1.0", people, time, ends)


@pytest.fixture
def members() -> Membership:
    return Membership("me")


def states(members: Membership, now: float) -> dict[str, str]:
    return {one.node: one.state for one in members.others(now)}


def test_who_is_heard_is_there_until_two_seconds_of_silence(members: Membership) -> None:
    members.heard(beat("b"), 0.0, 1000.0)
    members.heard(beat("a"), SUSPECT, 1000.0)
    assert states(members, SUSPECT) == {"a": "serving", "b": "suspect"}
    members.advance(DEAD)
    assert states(members, DEAD) == {"a": "suspect"}
    members.heard(beat("a"), DEAD, 1000.0)
    assert states(members, DEAD) == {"a": "serving"}


def test_who_says_that_it_ends_is_gone_at_once(members: Membership) -> None:
    members.heard(beat("b", people=7), 0.0, 1000.0)
    assert members.people == 7
    members.heard(beat("b", ends=True), 0.1, 1000.0)
    members.heard(beat("c", ends=True), 0.1, 1000.0)
    assert states(members, 0.1) == {}
    assert members.people == 0


def test_this_host_is_none_of_the_others_and_knows_that_it_is_heard(members: Membership) -> None:
    assert members.own is None
    members.heard(beat("me", people=5), 3.0, 1000.0)
    assert members.own == 3.0
    assert (members.others(3.0), members.people) == ([], 0)


def test_a_clock_that_is_off_is_seen(members: Membership) -> None:
    members.heard(beat("b", time=1042.0), 0.0, 1000.0)
    assert [one.ahead for one in members.others(0.0)] == [42.0]


def test_there_are_never_more_than_so_many(members: Membership) -> None:
    for number in range(MOST + 5):
        members.heard(beat(f"{number:03}"), 0.0, 1000.0)
    members.heard(beat("000", people=9), 0.5, 1000.0)  # who is known is heard all the same
    assert len(members.others(0.5)) == MOST
    assert members.others(0.5)[0].people == 9


def test_what_a_newer_release_says_beside_is_passed_over() -> None:
    said = {**beat("b").said(), "rates": {"text": 1.0}}
    assert read(orjson.loads(orjson.dumps(said))) == beat("b")


@pytest.mark.parametrize(
    "wrong",
    [
        None, [], "beat", {}, {"node": "b"},
        *[{**beat("b").said(), name: what} for name, what in (
            ("node", 7), ("node", "b" * 17), ("address", "a" * 65), ("version", "1" * 65), ("people", -1), ("people", "1"), ("time", 1), ("ends", 0),
        )],
    ],
)  # fmt: skip
def test_what_is_no_beat_is_none(wrong: object) -> None:
    assert read(wrong) is None


NODES = [f"{number:010x}" for number in range(5)]
SERVES = Share(ROOM, NODES[0], (Post(0, 0, True, False), Post(1, 3, False, False)))
LEAVES = SERVES._replace(posts=(Post(0, 0, True, False), Post(1, 3, False, True)))


def shares(node: str, share: Share) -> Beat:
    return beat(node)._replace(share=share)


def test_all_who_hear_the_same_hosts_agree_who_has_the_room() -> None:
    first = max(NODES, key=order)
    for me in NODES:
        members = Membership(me)
        members.serves = True
        for node in NODES:
            if node != me:
                members.heard(shares(node, SERVES), 0.0, 1000.0)
        assert members.owner() == first
        assert members.owners == {NODES[0]}
        if me != first:
            members.heard(beat(first, ends=True), 0.1, 1000.0)
            assert members.owner() == max({*NODES} - {first}, key=order)


def test_who_leaves_or_does_not_serve_has_it_only_where_nobody_else_is_there() -> None:
    first, *others = sorted(NODES, key=order, reverse=True)
    members = Membership(others[-1])
    members.heard(shares(first, LEAVES), 0.0, 1000.0)
    assert members.owner() == first, "nobody serves: still all agree"
    members.serves = True
    assert members.owner() == others[-1]
    members.heard(shares(others[0], SERVES), 0.0, 1000.0)
    assert members.owner() == others[0]
    members.heard(shares(first, SERVES), 0.1, 1000.0)
    assert members.owner() == first
    members.heard(shares(first, LEAVES), 0.2, 1000.0)
    assert members.owner() == others[0]
    assert states(members, 0.2) == {first: "draining", others[0]: "serving"}
    assert members.advance(DEAD + 0.1) == [others[0]]
    assert members.owner() == others[-1]


def test_of_another_version_a_host_is_there_and_has_another_room() -> None:
    first, last = max(NODES, key=order), min(NODES, key=order)
    members = Membership(last)
    said = {**beat(first).said(), "share": [ROOM + 1, {"what": "a newer release says"}]}
    newer = read(said)
    assert newer is not None
    members.heard(newer, 0.0, 1000.0)
    older = read({key: value for key, value in beat(NODES[2]).said().items() if key != "share"})
    assert older is not None
    members.heard(older, 0.0, 1000.0)
    assert (members.owner(), members.apart, len(members.others(0.0)), members.owners) == (last, 2, 2, set())


def test_a_host_whose_people_can_come_to_no_other_has_another_room() -> None:
    members = Membership("b")
    said = {**shares(NODES[1], SERVES).said(), "records": [VERSION + 1, VERSION + 2]}
    later = read(said)
    assert later is not None
    members.heard(later, 0.0, 1000.0)
    assert (members.apart, members.open(0.0), members.others(0.0)[0].writes) == (1, [], VERSION)
    near = read({**said, "records": [VERSION, VERSION + 1]})
    assert near is not None
    members.heard(near, 0.1, 1000.0)
    assert (members.apart, len(members.open(0.1)), members.others(0.1)[0].writes) == (0, 1, VERSION)


@pytest.mark.parametrize("wrong", [1, [], [1], [0, 1], [2, 1], ["1", 1], None])
def test_records_that_are_none_are_no_beat(wrong: object) -> None:
    assert read({**beat("b").said(), "records": wrong}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        1, "1", {}, [], ["1"], [ROOM], [ROOM, "not a node", [], [0, 0], [0, 0]], [ROOM, NODES[0], {}, [0, 0], [0, 0]],
        [ROOM, NODES[0], [[1]], [0, 0], [0, 0]],
        [ROOM, NODES[0], [[65, 0, False, False]], [0, 0], [0, 0]], [ROOM, NODES[0], [[1, -1, False, False]], [0, 0], [0, 0]],
        [ROOM, NODES[0], [[1, 0, 0, False]], [0, 0], [0, 0]], [ROOM, NODES[0], [], [0], [0, 0]], [ROOM, NODES[0], [], [0, 0], [0, "1"]],
    ],
)  # fmt: skip
def test_what_is_no_share_is_no_beat(wrong: object) -> None:
    assert read({**beat("b").said(), "share": wrong}) is None


def test_a_share_comes_as_it_went() -> None:
    share = Share(ROOM, NODES[1], SERVES.posts, (2, 3), (1.5, 0.0))
    assert read(orjson.loads(orjson.dumps(shares(NODES[0], share).said()))) == shares(NODES[0], share)


def test_a_beat_that_lay_unread_is_no_sign_of_a_clock_and_one_that_was_set_is_seen_soon() -> None:
    members = Membership("a")
    for number, waited in enumerate((0.25, 40.0, 39.0, 3.0)):
        members.heard(beat("b", time=1000.0 + number), 0.1 * number, 1000.0 + number + waited)
    (other,) = members.others(0.5)
    assert other.ahead == pytest.approx(-0.25)
    for _ in range(CLOCK_BEATS):
        members.heard(beat("b", time=1000.0), 0.6, 1100.0)
    (other,) = members.others(0.7)
    assert other.ahead == pytest.approx(-100.0)
