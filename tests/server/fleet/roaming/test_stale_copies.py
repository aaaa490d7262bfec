"""A host is asked to forget people until it answers; those whom it keeps end here."""

from __future__ import annotations

import pytest

from server.fleet.roaming import stale_copies as module
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.meetings import over
from tests.server.fleet.cluster.rig import cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import answers

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
        asking._end([(a, a), (b, 12345), (77, 77)], [a, b, 77])
        await until(lambda: over(first))
        await answers(second)
        assert (one.sessions, other.sessions) == ({b}, set())
