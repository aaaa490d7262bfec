"""Requests for migrated sessions: they wait during the transfer, and are forwarded for a second after it."""

import asyncio

import pytest

from server.fleet.migrate import forwarding_table as module
from server.fleet.migrate.forwarding_table import ForwardingTable
from tests.server.fleet.migrate.rig import until

ONE = [{"id": 1, "key": 2, "used": 3}, {"id": 4}]


async def test_a_request_during_a_transfer_is_answered_when_the_sessions_are_there() -> None:
    said: list[tuple[str, int]] = []
    forwarding = ForwardingTable(lambda *asked: said.append(asked))
    keys = forwarding.sent(ONE)
    assert [forwarding.waits("worker 3", key) for key in (1, 2, 3, 4, 5)] == [True, True, True, True, False]
    assert (forwarding.where(1), said) == (None, [])
    forwarding.ended(keys, "worker 2")
    assert sorted(said) == [("worker 3", key) for key in (1, 2, 3, 4)]
    assert {forwarding.where(key) for key in (1, 2, 3, 4)} == {"worker 2"}
    assert not forwarding.waits("worker 3", 1)


async def test_a_session_that_is_put_back_is_not_elsewhere() -> None:
    said: list[tuple[str, int]] = []
    forwarding = ForwardingTable(lambda *asked: said.append(asked))
    keys = forwarding.sent(ONE)
    forwarding.sent([{"id": 9}])
    assert forwarding.waits("worker 3", 4)
    forwarding.ended(keys, None)
    assert said == [("worker 3", 4)]
    assert forwarding.where(4) is None
    assert forwarding.waits("worker 2", 9)


async def test_an_entry_expires_unless_the_session_moved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    forwarding, loop, late = ForwardingTable(lambda *_: None), asyncio.get_running_loop(), 0.0
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + late)
    forwarding.ended(forwarding.sent(ONE), "worker 2")
    late = module.KEEP * 0.9
    assert [forwarding.where(key) for key in (1, 2)] == ["worker 2"] * 2
    forwarding.ended(forwarding.sent([{"id": 1}]), "worker 3")
    late = module.KEEP * 1.1
    assert [forwarding.where(key) for key in (1, 2)] == ["worker 3", None]
    late = module.KEEP * 2.0
    assert (forwarding.where(1), forwarding.went(1)) == (None, "worker 3")


async def test_a_request_before_a_transfer_is_answered_when_the_session_is_there() -> None:
    said: list[tuple[str, int]] = []
    forwarding = ForwardingTable(lambda *asked: said.append(asked))
    forwarding.wanted("hub", 4)
    keys = forwarding.sent(ONE)
    assert said == []
    forwarding.ended(keys, "@00000000bb 1")
    assert said == [("hub", 4)]
    assert forwarding.where(4) == "@00000000bb 1"


async def test_only_other_hosts_wait_for_a_session_that_may_come() -> None:
    said: list[tuple[str, int]] = []
    forwarding = ForwardingTable(lambda *asked: said.append(asked))
    keys, again = forwarding.expect(ONE[0]), forwarding.expect({"id": 1})
    assert [forwarding.waits("hub", key) for key in (1, 2, 3, 4)] == [True, True, True, False]
    assert not forwarding.waits("worker 3", 1)
    came = forwarding.sent([{"id": 2}])
    forwarding.expect_no_more(keys)
    assert said == [("hub", 3), ("hub", 1)] or said == [("hub", 1), ("hub", 3)]
    assert forwarding.waits("hub", 1), "it may still come another way"
    forwarding.expect_no_more(again)
    forwarding.ended(came, None)
    assert said[2:] == [("hub", 1), ("hub", 2)]
    assert not any(forwarding.waits("hub", key) for key in (1, 2, 3))


async def test_it_is_known_for_longer_where_a_session_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP", 0.0)
    forwarding = ForwardingTable(lambda *_: None)
    keys = forwarding.sent(ONE)
    assert (forwarding.is_under_way(1), forwarding.is_under_way(9), forwarding.went(1)) == (True, False, None)
    forwarding.ended(keys, "worker 2")
    await until(lambda: forwarding.where(1) is None)
    assert (forwarding.is_under_way(1), forwarding.went(1), forwarding.went(9)) == (False, "worker 2", None)
    forwarding.ended(forwarding.sent([{"id": 4}]), None)
    assert forwarding.went(4) == "worker 2"
    monkeypatch.setattr(module, "KNOWN_FOR", 0.0)
    forwarding.ended(forwarding.sent([{"id": 1}]), "worker 3")
    assert forwarding.went(1) is None


async def test_of_two_moves_of_a_session_the_last_one_counts() -> None:
    """It is back before the end of the first one is known here."""
    said: list[tuple[str, int]] = []
    forwarding = ForwardingTable(lambda *asked: said.append(asked))
    first = forwarding.sent([{"id": 4}, {"id": 5}])
    assert forwarding.waits("worker 3", 4)
    second = forwarding.sent([{"id": 4}])
    forwarding.ended(first, "worker 2")
    assert (said, forwarding.is_under_way(4), forwarding.where(4)) == ([], True, None)
    assert (forwarding.is_under_way(5), forwarding.where(5)) == (False, "worker 2")
    forwarding.ended(second, "worker 9")
    assert (said, forwarding.is_under_way(4), forwarding.where(4)) == ([("worker 3", 4)], False, "worker 9")


async def test_it_is_known_whether_a_session_left_since_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also within one moment of the clock."""
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 1.0)
    forwarding = ForwardingTable(lambda *_: None)
    begun = forwarding.acknowledged
    forwarding.ended(forwarding.sent([{"id": 4}]), "worker 2")
    assert forwarding.left_since(4, begun)
    assert not forwarding.left_since(9, begun)
    begun = forwarding.acknowledged
    assert not forwarding.left_since(4, begun)
    forwarding.ended(forwarding.sent([{"id": 9}]), "worker 2")
    assert (forwarding.left_since(4, begun), forwarding.left_since(9, begun)) == (False, True)


async def test_who_asked_for_a_session_that_stays_after_all_is_answered_and_not_kept() -> None:
    said: list[tuple[str, int]] = []
    forwarding = ForwardingTable(lambda *asked: said.append(asked))
    keys = forwarding.sent(ONE)
    for key in (4, 9):
        forwarding.wanted("hub", key)
    forwarding.give_up()
    assert said == [("hub", 9)]
    forwarding.ended(keys, "worker 2")
    forwarding.ended(forwarding.sent([{"id": 9}]), "worker 2")
    assert said == [("hub", 9), ("hub", 4)]
