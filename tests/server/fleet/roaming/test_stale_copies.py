"""A host is asked to forget sessions until it answers; those that it keeps end here, and those that moved on are followed."""

from __future__ import annotations

import pytest

from server.fleet.cluster.known_nodes import Place
from server.fleet.roaming import stale_copies as module
from server.fleet.roaming.evacuation import EmptiestHost
from server.fleet.roaming.stale_copies import Copies, StaleCopies
from server.ops.metrics.migration_metrics import DRAIN
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.meetings import arrived, over
from tests.server.fleet.cluster.rig import Cell, cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Working, answers

NONCE = bytes(16)


async def test_it_is_asked_until_it_answers(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    monkeypatch.setattr(module, "WITHIN", 0.05)
    async with cell(secret, room=False) as made:
        one, home = made.workers[0][0], made.hosts[1]
        asking = made.hosts[0].host_migrations[one]._crossing.forgetting
        home.relay.flows.clear()
        asking.ask(home.node, 1, home.address, [(7, 7)], NONCE)
        assert 7 in asking
        await until(lambda: len(home.relay.counted) >= 3)
        assert len(asking) == 1
        home.relay.flows.set()
        await until(lambda: not len(asking))
        assert (7 in asking, asking.asked, asking.unanswered) == (False, 1, 0)


async def test_a_host_that_never_answers_is_given_up(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGAIN", "WITHIN", "FOR"):
        monkeypatch.setattr(module, name, 0.02)
    async with cell(secret, room=False) as made:
        one, home = made.workers[0][0], made.hosts[1]
        asking = made.hosts[0].host_migrations[one]._crossing.forgetting
        made.hosts[0].know()
        home.relay.flows.clear()
        asking.ask(home.node, 1, home.address, [(7, 7)], NONCE)
        await until(lambda: not len(asking))
        assert asking.unanswered == 1
        home.relay.flows.set()


async def test_a_session_is_doubted_until_the_host_answers(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DOUBTED_FOR", 1e6)
    async with cell(secret, room=False) as made:
        asking, home = made.hosts[0].host_migrations[made.workers[0][0]]._crossing.forgetting, made.hosts[1]
        home.relay.flows.clear()
        asking.ask(home.node, 1, home.address, [(7, 7)], NONCE)
        assert (asking.is_doubted(7), asking.is_doubted(8)) == (True, False)
        home.relay.flows.set()
        await until(lambda: not asking.is_doubted(7))
        assert 7 not in asking


async def test_a_session_is_not_doubted_for_as_long_as_a_host_is_asked(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOR", 1e6)
    monkeypatch.setattr(module, "DOUBTED_FOR", 0.01)
    async with cell(secret, room=False) as made:
        asking, home = made.hosts[0].host_migrations[made.workers[0][0]]._crossing.forgetting, made.hosts[1]
        home.relay.flows.clear()
        asking.ask(home.node, 1, home.address, [(7, 7)], NONCE)
        await until(lambda: not asking.is_doubted(7))
        assert 7 in asking
        home.relay.flows.set()
        await until(lambda: not len(asking))


async def test_who_comes_back_to_a_doubted_session_is_resumed_once_the_host_has_answered(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DOUBTED_FOR", 1e6)
    async with cell(secret, room=False) as made:
        one, home, host = made.workers[0][0], made.hosts[1], made.hosts[0].host
        visitor, id, token = await host.visitor(one)
        session = one.worker.engine.sessions[id]
        visitor.sock.close()
        await until(lambda: not session.conn)
        home.relay.flows.clear()
        asking = made.hosts[0].host_migrations[one]._crossing.forgetting
        asking.ask(home.node, 1, home.address, [(id, session.key)], NONCE)
        back, _, _ = await host.visitor(one)
        back.ask("resume", token=token, last=0)
        await until(lambda: one.worker.engine.moves.awaiting(session.key))
        assert back.hear() == []
        home.relay.flows.set()
        assert (await back.hears("resumed", "error"))["type"] == "resumed"
        assert one.sessions == {id}


async def test_a_session_that_moves_within_its_host_is_doubted_there_for_as_long_as_was_left(
    secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DOUBTED_FOR", 1e6)
    async with cell(secret, workers=2, room=False) as made:
        one, two = made.workers[0]
        migrations, home = made.hosts[0].host_migrations, made.hosts[1]
        asking, other = migrations[one]._crossing.forgetting, migrations[two]._crossing.forgetting
        _, id, _ = await made.hosts[0].host.visitor(one)
        home.relay.flows.clear()
        asking.ask(home.node, 1, home.address, [(id, 7)], NONCE)
        assert one.links.across.exports.transfer((id,), one.links.across.to("worker 2"), DRAIN)
        await until(lambda: made.owners(id) == [two])
        assert (other.is_doubted(id), len(other)) == (True, 0)
        assert other._doubted[id] == pytest.approx(asking._doubted[id], abs=100.0)
        home.relay.flows.set()
        await until(lambda: not asking.is_doubted(id))
        assert other.is_doubted(id)
        other.unpack([{"id": 8, module.FIELD: 0.01}])
        await until(lambda: not other.is_doubted(8))


async def test_a_host_that_is_known_later_is_asked_then(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a hub's start, which knows no other host yet."""
    monkeypatch.setattr(module, "AGAIN", 0.01)
    monkeypatch.setattr(module, "HEARD_WITHIN", module.FOR)
    async with cell(secret, room=False) as made:
        id, key, _ = await copied(made)
        made.hosts[0].know()
        migration = made.hosts[0].host_migrations[made.workers[0][0]]
        migration.forget(made.hosts[0].names.name(made.hosts[1].names.number("worker 1")), [(id, key)])
        asking = migration._crossing.forgetting
        assert id in asking
        made.hosts[0].know(made.hosts[1])
        await until(lambda: not len(asking))
        assert (made.owners(id), asking.unanswered) == ([], 0)


async def test_a_host_that_stays_unknown_is_given_up(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    monkeypatch.setattr(module, "HEARD_WITHIN", 0.02)
    async with cell(secret, room=False) as made:
        asking = made.hosts[0].host_migrations[made.workers[0][0]]._crossing.forgetting
        asking.ask("00000000ff", 1, "", [(7, 7)])
        await until(lambda: not len(asking))
        assert (7 in asking, asking.unanswered) == (False, 1)


async def test_a_process_that_is_gone_is_asked_once(secret: Keys) -> None:
    async with cell(secret, room=False) as made:
        asking = made.hosts[0].host_migrations[made.workers[0][0]]._crossing.forgetting
        asking.ask(made.hosts[1].node, 9, made.hosts[1].address, [(7, 7)], NONCE)
        await until(lambda: not len(asking))
        assert (len(made.hosts[1].relay.counted), asking.unanswered) == (1, 0)


async def test_whom_the_other_host_keeps_ends_here_unless_resumed_here(secret: Keys) -> None:
    async with cell(secret, room=False) as made:
        one, other = made.workers[0][0], made.workers[1][0]
        asking = made.hosts[0].host_migrations[one]._crossing.forgetting
        first, a, _ = await made.hosts[0].host.visitor(one)
        second, b, _ = await made.hosts[0].host.visitor(one)
        asking._end(Copies("", 1, "", [(a, a), (b, 12345), (77, 77)], {}), [a, b, 77], 0.0)
        await until(lambda: over(first))
        await answers(second)
        assert (one.sessions, other.sessions) == ({b}, set())


async def test_a_copy_is_followed_to_another_worker(secret: Keys) -> None:
    async with cell(secret, workers=2, room=False) as made:
        id, key, home = await copied(made)
        across = home.links.across
        assert across.exports.transfer((id,), across.to("worker 2"), DRAIN)
        await until(lambda: made.owners(id) == [made.workers[1][1]])
        assert await forgotten(made, id, key) == []


async def test_a_copy_is_followed_to_another_worker_of_its_edge(secret: Keys) -> None:
    async with cell(secret, workers=2, room=False) as made:
        id, key, home = await copied(made)
        assert home.links.cross is not None
        back = EmptiestHost(lambda: [Place(made.hosts[0].name(2), 0)], home.links.cross, lambda _: None)
        assert home.links.across.exports.transfer((id,), back, DRAIN)
        await until(lambda: made.owners(id) == [made.workers[0][1]])
        assert await forgotten(made, id, key) == []


async def test_a_copy_is_asked_for_again_while_it_moves(secret: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.01)
    async with cell(secret, workers=2, room=False) as made:
        id, key, home = await copied(made)
        forwarding = home.links.across.forwarding
        released = home.links.across.exports.moving.release((id,))
        assert released is not None
        keys = forwarding.sent(released.session_record.record["people"])
        asking = asked(made, id, key)
        await until(lambda: len(made.hosts[1].relay.counted) >= 4)
        assert id in asking
        home.links.across.exports.moving.take(*released)
        forwarding.ended(keys, None)
        await until(lambda: not len(asking))
        assert made.owners(id) == []


async def copied(made: Cell) -> tuple[int, int, Working]:
    """A session of the first host that came to the second one, and whose client dropped: id and key, and the process there."""
    visitor, id, home = await arrived(made)
    session = home.worker.engine.sessions[id]
    visitor.sock.close()
    await until(lambda: not session.conn)
    return id, session.key, home


def asked(made: Cell, id: int, key: int) -> StaleCopies:
    """The first process of the second host is asked to forget; by what."""
    asking = made.hosts[0].host_migrations[made.workers[0][0]]._crossing.forgetting
    asking.ask(made.hosts[1].node, 1, made.hosts[1].address, [(id, key)])
    return asking


async def forgotten(made: Cell, id: int, key: int) -> list[Working]:
    """The same, until all answered; the processes that have the session then."""
    asking = asked(made, id, key)
    await until(lambda: not len(asking))
    assert asking.unanswered == 0
    return made.owners(id)
