"""A client resumes its session while that returns from another host to its own, or has just returned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.migrate import forwarding_table
from server.fleet.processes import session_lookup
from server.fleet.roaming import session_return, session_search
from server.fleet.roaming.session_search import SessionSearch
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.meetings import arrived, lets_visitors_go
from tests.server.fleet.cluster.rig import Cell, There, cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import answers


class Searches:
    """The search of each host, in hubs that are played otherwise; each hears what any says."""

    def __init__(self, made: Cell) -> None:
        self._all = [self._search(there) for there in made.hosts]

    def _search(self, there: There) -> SessionSearch:
        hub = there.host.processes[HUB]
        found = SessionSearch(
            there.node, there.names, self._say, hub.peers.send, lambda: hub.peers.people, lambda: None
        )
        handlers = {Kind.WHO: found.who, Kind.MINE: found.mine, Kind.MOVING: found.moving}
        hub.peers._handlers = {**hub.peers._handlers, **handlers}
        return found

    def _say(self, subject: str, body: bytes) -> None:
        for search in self._all:
            if subject in search.handlers:
                asyncio.get_running_loop().call_soon(search.handlers[subject], body)


@pytest.fixture
async def two_workers(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cell]:
    """Two hosts of two workers, in which nobody is late: a busy machine decides nothing here."""
    for module, names in (
        (session_lookup, ("WITHIN", "FARTHER", "MOVING_FOR")),
        (session_return, ("WITHIN",)),
        (session_search, ("FOR", "HERE_FOR", "MOVING_FOR")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, 1e6)
    monkeypatch.setattr(forwarding_table, "KEEP", 0.0)  # the session came to the other host long ago
    async with cell(secret, workers=2, room=False) as made:
        made.hosts[1].host.play(HUB)
        await made.hosts[1].host.joined()
        yield made


async def test_who_resumes_while_their_session_returns_waits_and_has_it(two_workers: Cell) -> None:
    """At another worker of the host to which it returns."""
    made = two_workers
    _, id, home = await arrived(made)
    Searches(made)
    edge, other = made.workers[0]
    key = home.worker.engine.sessions[id].key
    await until(lambda: edge.links.across.forwarding.where(key) is None)
    made.hosts[1].relay.flows.clear()
    lets_visitors_go(home)
    home.worker.act(lambda _: None)
    await until(lambda: not made.owners(id))
    back, _, _ = await made.hosts[0].host.visitor(other)
    back.ask("resume", token=other.tokens.seal(key, 0), last=0)
    await until(lambda: home.links.across.forwarding._asked)
    assert back.hear() == []
    made.hosts[1].relay.flows.set()
    assert (await back.hears("resumed", "error"))["type"] == "resumed"
    assert made.owners(id) == [edge]
    await answers(back)


async def test_who_goes_to_resume_where_their_session_was_resumes_it_where_it_is(two_workers: Cell) -> None:
    """They come to the home as the session has returned from there: they return too, and resume it at their own host."""
    made = two_workers
    _, id, home = await arrived(made)
    Searches(made)
    edge, other = made.workers[0]
    key = home.worker.engine.sessions[id].key
    lets_visitors_go(home)
    home.worker.act(lambda _: None)
    await until(lambda: made.owners(id) == [edge])
    back, fresh, _ = await made.hosts[0].host.visitor(other)
    other.links.session_lookup.is_elsewhere = lambda asked: asked == key  # type: ignore[method-assign]
    back.ask("resume", token=other.tokens.seal(key, 0), last=0)
    await until(lambda: other.worker.engine.moves.awaiting(key) == [fresh])
    del other.links.session_lookup.is_elsewhere
    other.links.across.request_move(fresh, made.hosts[1].name(1), int)
    assert (await back.hears("resumed", "error"))["type"] == "resumed"
    assert made.owners(id) == [edge]
    assert home.links.visitor_return.results["sent"] == 2
    await answers(back)
