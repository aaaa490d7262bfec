"""People go to another host to meet somebody or to resume: they talk there, whoever they are is in one place, and nothing of them is lost."""

from __future__ import annotations

import pytest

from server.process import faults
from tests.server.cluster.rig import Cell, lines
from tests.server.workers.rig import Visitor, talk


async def met(made: Cell) -> tuple[Visitor, Visitor]:
    """Two of two hosts who have met at one of them."""
    (one,), (other,) = made.workers
    first, a = await made.hosts[0].host.waiting(one, "sailing")
    second, b, _ = await made.hosts[1].host.visitor(other)
    second.find("sailing")
    for visitor in (first, second):
        assert (await visitor.hears("matched"))["common"] == ["sailing"]
    assert await made.owned(a) is await made.owned(b)
    return first, second


async def test_two_of_two_hosts_meet_and_talk(two: Cell) -> None:
    first, second = await met(two)
    await talk(first, second)
    await lines(first, second, 0, 50)
    await lines(second, first, 0, 50)
    (home,) = [one for (one,) in two.workers if one.sessions]
    (edge,) = [one for (one,) in two.workers if not one.sessions]
    assert home.links.tally.abroad["meet", "tunnel", "taken"] == edge.links.tally.abroad["meet", "tunnel", "given"] == 1
    assert edge.worker.reactor.tunnels == 1


async def test_the_points_at_which_a_test_ends_a_process(two: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[str] = []
    monkeypatch.setattr(faults, "at", points.append)
    await met(two)
    assert points == ["release", "sent", "go", "took", "taken"]
    assert set(points) <= set(faults.POINTS)
