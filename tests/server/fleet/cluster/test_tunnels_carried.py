"""An edge is upgraded or drained, a home is upgraded, while people of one talk at the other: nobody notices, whatever was under way."""

import contextlib
from collections import Counter
from typing import Any

import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.migrate import migration_order as module
from server.fleet.migrate.migration_order import MigrationOrder
from server.fleet.processes.worker_drain_out import Spread
from server.ops.metrics.migration_metrics import DRAIN
from tests.ext.net.rig import frame
from tests.server.fleet.cluster.crossed import Cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Visitor, Working, answers, talk
from tests.server.fleet.roaming.test_tunnel_table import line
from tests.support.descriptors import more_than, opened


def leaving(process: Working, *to: str) -> MigrationOrder:
    """All who are there go to these workers of the same host."""
    spread = Spread(process.peers, process.links.across, dict.fromkeys(to, 0))
    return MigrationOrder(process.links.across.exports, spread, DRAIN, spread)


async def moved(process: Working, *to: str) -> None:
    """They have gone."""
    await leaving(process, *to).move()
    await process.links.across.fewer(1)


async def nothing(one: Visitor, other: Visitor) -> None:
    """Nothing is under way."""


async def half(one: Visitor, other: Visitor) -> None:
    one.sock.send(frame(line(1))[:9])
    await answers(other)


async def pieces(one: Visitor, other: Visitor) -> None:
    one.sock.send(frame(line(1)[:9], fin=False))
    await answers(other)


@pytest.mark.parametrize("begun", [nothing, half, pieces])
async def test_a_tunnel_goes_to_another_worker_of_its_host(apart: Cell, begun: Any) -> None:
    one, a, other, _ = await apart.meet()
    await talk(one, other)
    await begun(one, other)
    before = opened()
    await moved(apart.edge, "worker 3")
    assert (len(apart.edge.links.tunnels), len(apart.other.links.tunnels)) == (0, 1)
    if begun is half:
        one.sock.send(frame(line(1))[9:])
    elif begun is pieces:
        one.sock.send(frame(line(1)[9:], opcode=0))
    if begun is not nothing:
        assert len((await other.hears("message"))["text"]) == 51
    await talk(one, other)
    other.ask("leave")
    await one.hears("left")
    await apart.back(a, apart.other)
    await answers(one)
    assert (apart.other.sessions, apart.ends(apart.other), apart.ends()) == ({a}, {"returned": 1}, {})
    assert more_than(before) == Counter()


async def test_a_tunnel_that_was_carried_knows_who_it_is_when_its_home_dies(apart: Cell) -> None:
    one, a, other, _ = await apart.meet()
    await moved(apart.edge, "worker 3")
    await talk(one, other)
    apart.hosts[1].kill("worker 2")
    assert (await one.hears("left"))["by"] == "lost"
    await answers(one)
    assert (apart.other.sessions, apart.ends(apart.other)) == ({a}, {"lost": 1})


async def test_who_is_on_their_way_back_goes_as_a_person(apart: Cell) -> None:
    one, a, _other, _ = await apart.meet()
    (tunnel,) = apart.edge.links.tunnels._open.values()
    one.ask("leave")
    await until(lambda: tunnel.coming is not None)
    await moved(apart.edge, "worker 3")
    assert apart.other.sessions == {a}
    await answers(one)
    assert (len(apart.edge.links.tunnels), apart.ends()) == (0, {"returned": 1})


async def test_many_tunnels_go_a_few_at_a_time(apart: Cell) -> None:
    talks = [await apart.meet() for _ in range(2 * module.BATCH + 3)]
    await moved(apart.edge, "worker 3")
    assert len(apart.other.links.tunnels) == len(talks)
    for one, _, other, _ in talks:
        await talk(one, other)


async def test_a_worker_that_dies_before_it_took_them_gives_them_back(apart: Cell) -> None:
    one, _, other, _ = await apart.meet()
    edge: Host = apart.hosts[0]
    edge.kill("worker 3")
    played = edge.play("worker 4")
    await edge.joined()
    going = leaving(apart.edge, "worker 4")
    assert going._tunnels() == 1
    await until(lambda: played.of(Kind.TUNNEL))
    assert len(apart.edge.links.tunnels) == 0
    edge.kill("worker 4")
    await until(lambda: len(apart.edge.links.tunnels) == 1)
    await talk(one, other)


async def test_where_there_is_nobody_to_go_to_they_stay(apart: Cell) -> None:
    one, _, other, _ = await apart.meet()
    apart.hosts[0].kill("worker 3")
    going = leaving(apart.edge)
    await until(lambda: "worker 3" not in apart.edge.peers)
    with pytest.raises(module.LinkDown):
        going._tunnels()
    assert len(apart.edge.links.tunnels) == 1
    await talk(one, other)


async def test_who_cannot_go_for_long_is_told_at_the_end(apart: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, _, _ = await apart.meet()
    (tunnel,) = apart.edge.links.tunnels._open.values()
    tunnel.coming = object()  # type: ignore[assignment]  # on their way back, for ever
    monkeypatch.setattr(module, "TUNNELS_WITHIN", 0.01)
    going = leaving(apart.edge, "worker 3")
    assert going.tunnels
    await going.move()
    assert (going.tunnels, len(apart.edge.links.tunnels)) == (False, 1)
    tunnel.coming = None


async def test_a_tunnel_that_nobody_can_take_is_closed_and_leaves_nothing(apart: Cell) -> None:
    one, _, _, _ = await apart.meet()
    before = opened()
    (gone,) = apart.edge.links.tunnels.release(1)
    gone.record[1]["sent"] = 5
    apart.other.worker.tunnels.take(gone)
    with contextlib.suppress(BlockingIOError):
        assert one.sock.recv(1 << 16) == b""
    assert apart.ends(apart.other) == {"failed": 1}
    assert more_than(before) == Counter()


# ---- the home


async def test_visitors_go_on_when_their_home_is_upgraded(apart: Cell) -> None:
    one, a, other, b = await apart.meet()
    await talk(one, other)
    home: Host = apart.hosts[1]
    following = home.worker(4)
    await home.joined()
    await moved(apart.home, "worker 4")
    assert (apart.home.sessions, following.sessions) == (set(), {a, b})
    assert (len(apart.home.worker.output.visitors), len(following.worker.output.visitors)) == (0, 1)
    await talk(one, other)
    other.ask("leave")
    await one.hears("left")
    await apart.back(a)
    await answers(one)
    assert (following.sessions, apart.ends()) == ({b}, {"returned": 1})
    assert following.links.visitor_return.results["sent"] == 1
