"""A session is found at whatever host it is: only a yes is said, and whatever comes is bounded and read with suspicion."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.process_names import Names
from server.fleet.roaming import session_search as module
from server.fleet.roaming.session_search import FOR, HERE_FOR, KEYS, MINE, MOVING, MOVING_FOR, WHO, Asked, SessionSearch
from tests.server.fleet.migrate.rig import until

HERE, THERE, OTHER = "00000000aa", "00000000bb", "00000000cc"
KEY = (1 << 60) + 7


class Hub:
    """One that asks and is asked. `said`: what all hosts hear; `sent`: what its own processes are told."""

    def __init__(self, node: str, *people: str) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[tuple[str, Kind, tuple[Any, ...]]] = []
        self.unreadable = 0
        self.seeking = SessionSearch(node, Names(node), self._say, self._send, lambda: people, self._damaged)

    def _say(self, subject: str, body: bytes) -> None:
        self.said.append((subject, orjson.loads(body)))

    def _send(self, name: str, kind: Kind, *records: Any) -> None:
        self.sent.append((name, kind, records))

    def _damaged(self) -> None:
        self.unreadable += 1

    def hear(self, subject: str, said: Any) -> None:
        """Somebody says this."""
        self.seeking.handlers[subject](said if isinstance(said, bytes) else orjson.dumps(said))

    def asks(self, name: str, *keys: int) -> None:
        """One of its processes does."""
        self.seeking.who(name, message(Kind.WHO, *keys))

    def moves(self, name: str, key: int) -> None:
        """A process of this host answers that the session is under way."""
        self.seeking.moving(name, Message(Kind.MOVING, 1, [key], [], []))

    def answers(self, name: str, key: int, where: str | None) -> None:
        """One of its processes does."""
        self.seeking.mine(name, message(Kind.MINE, key, where))


def message(kind: Kind, *records: Any) -> Message:
    return Message(kind, 1, list(records), [], [])


async def test_a_yes_of_another_host_goes_to_who_asked_and_names_the_process() -> None:
    one, two = Hub(HERE, "worker 1", "frontend"), Hub(THERE, "worker 1", "worker 2", "next worker 1", "frontend")
    one.asks("worker 1", KEY)
    await until(lambda: one.said)
    assert one.said == [(WHO, {"node": HERE, "keys": [KEY]})]
    two.hear(*one.said[0])
    assert two.sent == [(name, Kind.WHO, (KEY,)) for name in ("worker 1", "worker 2", "frontend")], "of this generation"
    two.answers("worker 1", KEY, None)
    assert two.said == []
    two.answers("worker 2", KEY, "")
    assert two.said == [(MINE + HERE, {"key": KEY, "where": f"@{THERE} 2"})]
    one.hear(*two.said[0])
    assert one.sent == [("worker 1", Kind.MINE, (KEY, f"@{THERE} 2"))]
    two.answers("frontend", KEY, "")
    assert len(two.said) == 1, "the first yes wins"
    one.hear(*two.said[0])
    assert len(one.sent) == 1
    assert (one.seeking.tally["asked"], one.seeking.tally["found"], two.seeking.tally["answered"]) == (1, 1, 1)


async def test_that_a_session_is_under_way_goes_to_who_asked_and_the_answer_follows() -> None:
    one, two = Hub(HERE, "worker 1"), Hub(THERE, "worker 2")
    one.asks("worker 1", KEY)
    await until(lambda: one.said)
    two.hear(*one.said[0])
    two.moves("worker 2", KEY)
    two.moves("worker 2", KEY)
    assert two.said == [(MOVING + HERE, {"key": KEY})], "once"
    one.hear(*two.said[0])
    one.hear(*two.said.pop())
    assert one.sent == [("worker 1", Kind.MOVING, (KEY,))]
    two.answers("worker 2", KEY, "")
    one.hear(*two.said[0])
    assert one.sent[1:] == [("worker 1", Kind.MINE, (KEY, f"@{THERE} 2"))]
    assert (len(one.seeking._ours), len(two.seeking._theirs)) == (0, 0)


@pytest.mark.parametrize("seconds", [FOR, HERE_FOR])
async def test_a_session_under_way_is_under_search_for_longer_and_not_for_ever(seconds: float) -> None:
    asked = Asked(seconds)
    for who in ("worker 1", "worker 2"):
        asked.add(1, who, 0.0)
    assert asked.moves(1, 0.1) == ["worker 1", "worker 2"]
    asked.add(1, "worker 1", 3.0)
    asked.add(1, "worker 3", 3.0)
    assert asked.moves(1, 3.1) == ["worker 1", "worker 3"]
    assert asked.take(1, 3.0 + MOVING_FOR) == ["worker 1", "worker 2", "worker 3"]
    asked.add(2, "worker 1", 4.0)
    assert asked.moves(2, 4.0 + seconds) == [], "it has expired"
    asked.add(3, "worker 1", 4.0)
    assert asked.moves(3, 4.0) == ["worker 1"]
    assert asked.take(3, 4.0 + MOVING_FOR) == []


async def test_beyond_the_bound_no_session_under_way_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKED_MAX", 1)
    asked = Asked(1.0)
    told = []
    for key in (1, 2):
        asked.add(key, "worker 1", 0.0)
        told.append(asked.moves(key, 0.0))
    assert told == [["worker 1"], []]


async def test_who_sent_it_on_says_where_to_and_this_host_s_own_process_has_its_own_name() -> None:
    one, two = Hub(HERE), Hub(THERE, "worker 1")
    one.asks("worker 1", KEY)
    one.asks("frontend", KEY)
    for where, name in (("worker 2", f"@{THERE} 2"), (f"@{OTHER} 0", f"@{OTHER} 0"), (f"@{HERE} 3", f"@{HERE} 3")):
        two.hear(WHO, {"node": HERE, "keys": [KEY]})
        two.answers("worker 1", KEY, where)
        assert two.said.pop() == (MINE + HERE, {"key": KEY, "where": name})
    one.hear(MINE + HERE, {"key": KEY, "where": f"@{HERE} 3"})
    assert one.sent == [(name, Kind.MINE, (KEY, "worker 3")) for name in ("worker 1", "frontend")]


@pytest.mark.parametrize("is_moving", [False, True])
async def test_one_who_names_the_host_that_asks_does_not_answer_for_the_others(is_moving: bool) -> None:
    """The session that was sent there may be at another process here again, or on its way there; that one's yes is the last answer."""
    one, two = Hub(HERE, "worker 1"), Hub(THERE, "worker 1", "worker 2")
    one.asks("worker 1", KEY)
    await until(lambda: one.said)
    two.hear(*one.said[0])
    two.hear(WHO, {"node": OTHER, "keys": [KEY]})
    if is_moving:
        two.moves("worker 2", KEY)
        one.hear(*two.said[0])
        two.said.clear()
        one.sent.clear()
    kept = [(len(hub._by), len(hub._moving)) for hub in (one.seeking._ours, two.seeking._theirs)]
    two.answers("worker 1", KEY, f"@{HERE} 1")
    stale = {"key": KEY, "where": f"@{HERE} 1"}
    assert two.said == [(MINE + HERE, stale), (MINE + OTHER, stale)]
    one.hear(*two.said[0])
    assert [(len(hub._by), len(hub._moving)) for hub in (one.seeking._ours, two.seeking._theirs)] == kept
    two.answers("worker 2", KEY, "")
    one.hear(*two.said[2])
    assert one.sent == [("worker 1", Kind.MINE, (KEY, where)) for where in ("worker 1", f"@{THERE} 2")]
    two.answers("worker 1", KEY, f"@{HERE} 1")
    one.hear(*two.said[0])
    assert (len(two.said), len(one.sent)) == (4, 2)
    assert (len(one.seeking._ours), len(two.seeking._theirs)) == (0, 0)


async def test_whom_the_next_generation_took_is_asked_of_it_for_who_asked_here() -> None:
    two = Hub(THERE, "worker 1")
    two.hear(WHO, {"node": HERE, "keys": [KEY]})
    two.answers("worker 1", KEY, "next worker 1")
    assert two.said == [(WHO, {"node": HERE, "keys": [KEY]})]


async def test_nobody_is_asked_by_this_host_s_own_question() -> None:
    one = Hub(HERE, "worker 1")
    one.hear(WHO, {"node": HERE, "keys": [KEY]})
    assert (one.sent, one.unreadable) == ([], 0)


async def test_many_keys_go_in_few_messages_and_beyond_the_bound_the_answer_is_no(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 10_000
    monkeypatch.setattr(module, "FOR", 1e6)
    monkeypatch.setattr(module, "EVERY", 0.0)  # else each of 157 messages waits for a timer, and then for a core
    one, two = Hub(HERE), Hub(THERE, "worker 1")
    one.asks("worker 1", *range(1, most + 11))
    assert one.sent == [("worker 1", Kind.MINE, (key, None)) for key in range(most + 1, most + 11)]
    assert (one.seeking.tally["asked"], one.seeking.tally["full"]) == (most, 10)
    await until(lambda: sum(len(said["keys"]) for _, said in one.said) == most)
    assert {len(said["keys"]) for _, said in one.said[:-1]} == {KEYS}
    for subject, said in one.said:
        two.hear(subject, said)
    assert len(two.sent) == len(one.said)
    two.hear(WHO, {"node": OTHER, "keys": [most + 1]})
    assert two.seeking.tally["full"] == 1
    assert len(two.sent) == len(one.said), "who asks that much is not served, and nobody is asked"


async def test_keys_that_are_too_old_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKED_MAX", 2)
    asked = Asked(1.0)
    assert [asked.add(key, "worker 1", now) for key, now in ((1, 0.0), (2, 0.5), (3, 0.9), (3, 1.1), (4, 1.2))] == [
        True, True, False, True, False,
    ]  # fmt: skip
    assert (asked.take(1, 1.2), asked.take(2, 1.6), asked.take(3, 1.6)) == ([], [], ["worker 1"])
    assert asked.take(3, 1.6) == [], "once"
    assert len(asked) == 0


async def test_who_asks_again_is_told_once_and_has_the_whole_time() -> None:
    asked = Asked(1.0)
    for who, now in (("worker 1", 0.0), ("worker 2", 0.5), ("worker 1", 0.9)):
        asked.add(1, who, now)
    assert asked.take(1, 1.8) == ["worker 1", "worker 2"]


@pytest.mark.parametrize(
    "said",
    [
        b"", b"{", b"[]", b"7", b"\xff" * 40, {}, {"node": HERE}, {"node": HERE, "keys": 7}, {"node": 7, "keys": [1]},
        {"node": "@", "keys": [1]}, {"node": HERE + "0", "keys": [1]}, {"node": HERE.upper(), "keys": [1]},
        {"node": THERE, "keys": ["1"]}, {"node": THERE, "keys": [True]}, {"node": THERE, "keys": [-1]},
        {"node": THERE, "keys": [1 << 63]}, {"node": THERE, "keys": [1.0]}, {"node": THERE, "keys": list(range(KEYS + 1))},
    ],
)  # fmt: skip
async def test_what_is_no_question_is_counted_and_nobody_is_asked(said: Any) -> None:
    one = Hub(OTHER, "worker 1")
    one.hear(WHO, said)
    assert (one.sent, one.unreadable) == ([], 1)


@pytest.mark.parametrize(
    "said",
    [
        b"", b"{", {}, {"key": 1}, {"key": "1", "where": f"@{THERE} 1"}, {"key": -1, "where": f"@{THERE} 1"}, {"key": 1, "where": None},
        {"key": 1, "where": "worker 1"}, {"key": 1, "where": "@"}, {"key": 1, "where": "@zz 1"}, {"key": 1, "where": f"@{THERE} 256"},
        {"key": 1, "where": f"@{THERE} -1"}, {"key": 1, "where": f"@{THERE} one"}, {"key": 1, "where": f"@{THERE}"},
        {"key": 1, "where": f"@{THERE} 0000000000001"}, {"key": True, "where": f"@{THERE} 1"},
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_counted_and_nobody_goes_anywhere(said: Any) -> None:
    one = Hub(HERE)
    one.asks("worker 1", 1)
    one.hear(MINE + HERE, said)
    assert (one.sent, one.unreadable) == ([], 1)


@pytest.mark.parametrize("said", [b"", b"{", [], {}, {"key": "1"}, {"key": True}, {"key": -1}, {"key": 1 << 63}])
async def test_what_names_no_session_under_way_is_counted_and_nobody_is_told(said: Any) -> None:
    one = Hub(HERE)
    one.asks("worker 1", 1)
    one.hear(MOVING + HERE, said)
    assert (one.sent, one.unreadable) == ([], 1)


async def test_an_answer_that_nobody_waits_for_is_passed_over() -> None:
    one = Hub(HERE)
    one.hear(MINE + HERE, {"key": 1, "where": f"@{THERE} 1"})
    assert (one.sent, one.unreadable, one.seeking.tally["found"]) == ([], 0, 0)


async def test_messages_go_a_moment_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 1e6)
    one = Hub(HERE)
    one.asks("worker 1", *range(KEYS))
    await until(lambda: one.said)
    one.asks("worker 1", 1000)
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(one.said) == 1
    assert one.seeking._timer is not None
    one.seeking._timer.cancel()


async def test_of_a_session_that_is_not_where_it_was_under_way_all_hosts_are_asked_again() -> None:
    one = Hub(HERE, "worker 1")
    for node in (THERE, OTHER):
        one.hear(WHO, {"node": node, "keys": [KEY]})
    one.moves("worker 1", KEY)
    one.said.clear()
    one.answers("worker 1", KEY, None)
    assert one.said == [(WHO, {"node": node, "keys": [KEY], "again": 1}) for node in (THERE, OTHER)]
    one.answers("worker 1", KEY, "")
    assert len(one.said) == 2


async def test_who_asked_is_asked_again_too() -> None:
    """The session may have come there since."""
    one = Hub(HERE, "worker 1", "worker 2")
    one.hear(WHO, {"node": HERE, "keys": [KEY]})
    assert one.sent == []
    one.hear(WHO, {"node": HERE, "keys": [KEY], "again": 1})
    assert one.sent == [(name, Kind.WHO, (KEY,)) for name in ("worker 1", "worker 2")]
    one.answers("worker 2", KEY, "")
    assert one.said == [(MINE + HERE, {"key": KEY, "where": f"@{HERE} 2"})]
