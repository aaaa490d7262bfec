"""Who went is asked for where they were: while they are on the way, and a moment longer."""

import pytest

from server.fleet.migrate import forwarding_table as module
from server.fleet.migrate.forwarding_table import Forwarding
from tests.server.fleet.migrate.rig import until

ONE = [{"id": 1, "key": 2, "used": 3}, {"id": 4}]


async def test_who_asks_while_they_are_on_the_way_is_answered_when_they_are_there() -> None:
    said: list[tuple[str, int]] = []
    forwarding = Forwarding(lambda *asked: said.append(asked))
    forwarding.sent("worker 2", 7, ONE)
    assert [forwarding.waits("worker 3", key) for key in (1, 2, 3, 4, 5)] == [True, True, True, True, False]
    assert forwarding.where(1) is None
    forwarding.took("worker 2", 8)
    assert said == []
    forwarding.took("worker 2", 7)
    assert sorted(said) == [("worker 3", key) for key in (1, 2, 3, 4)]
    assert {forwarding.where(key) for key in (1, 2, 3, 4)} == {"worker 2"}
    assert not forwarding.waits("worker 3", 1)


@pytest.mark.parametrize("dead", [True, False])
async def test_who_comes_back_is_not_elsewhere(dead: bool) -> None:
    said: list[tuple[str, int]] = []
    forwarding = Forwarding(lambda *asked: said.append(asked))
    forwarding.sent("worker 2", 7, ONE)
    forwarding.sent("worker 3", 7, [{"id": 9}])
    assert forwarding.waits("worker 3", 4)
    if dead:
        forwarding.dead("worker 2")
    else:
        forwarding.back("worker 2", 7)
    assert said == [("worker 3", 4)]
    assert forwarding.where(4) is None
    assert forwarding.waits("worker 2", 9)


async def test_it_is_forgotten_after_a_while_but_where_they_went_since(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP", 0.0)
    forwarding = Forwarding(lambda *_: None)
    forwarding.sent("worker 2", 7, ONE)
    forwarding.took("worker 2", 7)
    assert forwarding.where(1) == "worker 2"
    monkeypatch.setattr(module, "KEEP", 1e6)
    forwarding.sent("worker 3", 1, [{"id": 1}])
    forwarding.took("worker 3", 1)
    await until(lambda: forwarding.where(2) is None)
    assert forwarding.where(1) == "worker 3"


async def test_who_asks_before_they_are_sent_is_answered_when_they_are_there() -> None:
    said: list[tuple[str, int]] = []
    forwarding = Forwarding(lambda *asked: said.append(asked))
    forwarding.wanted("hub", 4)
    forwarding.sent("@00000000bb 1", 7, ONE)
    assert said == []
    forwarding.took("@00000000bb 1", 7)
    assert said == [("hub", 4)]
    assert forwarding.where(4) == "@00000000bb 1"
