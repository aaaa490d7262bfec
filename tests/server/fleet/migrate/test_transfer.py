"""A transfer is cut at each message, to each kind of target: its sessions have one owner, the one that the table names."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import AsyncIterator

import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.migrate.transfer import TABLE, GroupTransfer, Owner, Stage, Transfer
from server.fleet.roaming import migration_source, migration_target
from server.ops.metrics.migration_metrics import DRAIN
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.rig import Cell, all_closed, cell
from tests.server.fleet.cluster.test_crossing_cuts import ANSWERED, cut
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Visitor, Working, answers
from tests.support.descriptors import opened

# where the connection to a host is cut, in bytes there and back (`Relay.stop`), by the first message that is not whole
HOST_CUTS = {"MOVE": (0, None), "TAKEN": (None, 0), "GO": (-1, None), "TOOK": (None, ANSWERED), "none": (None, None)}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for a message that does not come."""
    monkeypatch.setattr(migration_source, "TAKEN_WITHIN", 0.05)
    monkeypatch.setattr(migration_source, "TOOK_WITHIN", 0.05)
    monkeypatch.setattr(migration_target, "GO_WITHIN", 0.05)


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    """Wait until nothing is open that was not."""
    before = opened()
    yield
    await all_closed(before)


# ---- the table


@pytest.mark.parametrize(
    ("said", "stage"),
    [
        ("", Stage.RELEASED),
        ("cut", Stage.BACK),
        ("sent", Stage.SENT),
        ("sent refuse", Stage.REFUSED),
        ("sent refuse cut", Stage.REFUSED),
        ("sent cut", Stage.BACK),
        ("sent take", Stage.TAKEN),
        ("sent take cut", Stage.TAKEN),
        ("sent go", Stage.GOING),
        ("sent go cut", Stage.DOUBTFUL),
        ("sent go cut cut", Stage.DOUBTFUL),
        ("sent go take", Stage.TAKEN),
        ("sent go take cut", Stage.TAKEN),
    ],
)
async def test_a_transfer_is_put_back_once_where_the_source_owns_it_and_else_closed(said: str, stage: Stage) -> None:
    back: list[int] = []
    reader, writer = os.pipe()
    transfer = Transfer(lambda: back.append(1), [writer])
    for word in said.split():
        getattr(transfer, word)()
    ended = TABLE[stage].cut is None
    assert transfer.stage == stage
    assert len(back) == (ended and TABLE[stage].owner == Owner.SOURCE)
    os.close(reader)
    if TABLE[stage].owner != Owner.TARGET:
        os.close(writer)
    else:
        with pytest.raises(OSError, match="Bad file"):
            os.close(writer)


# ---- each target, cut at each message


async def somebody(made: Cell) -> tuple[Working, Visitor, int]:
    """A session of the first host's first worker."""
    source = made.workers[0][0]
    visitor, id, _ = await made.hosts[0].host.visitor(source)
    return source, visitor, id


async def stays(source: Working, visitor: Visitor, id: int, transfer: GroupTransfer) -> None:
    """The source has the session, which is served."""
    assert TABLE[transfer.stage].owner == Owner.SOURCE
    assert source.sessions == {id}
    await answers(visitor)


@pytest.mark.parametrize("end", ["dead", "refused", "none"])
async def test_a_transfer_to_a_process_that_is_cut_before_its_acknowledgement_is_put_back(
    secret: Keys, end: str
) -> None:
    async with cell(secret, hosts=1, room=False) as made:
        source, visitor, id = await somebody(made)
        target = made.hosts[0].host.play("worker 2")
        await made.hosts[0].host.joined()
        ended: list[GroupTransfer] = []
        across = source.links.across
        assert across.exports.transfer((id,), across.to("worker 2"), DRAIN, ended.append)
        assert source.sessions == set()
        await until(lambda: target.came)
        ((_, message),) = target.came
        if end == "none":
            target.peers.send("worker 1", Kind.TOOK, message.number)
        elif end == "refused":
            target.peers.send("worker 1", Kind.NO, message.number)
        if end != "refused":
            made.hosts[0].host.kill("worker 2")  # what it wrote is read first
        await until(lambda: ended)
        if end == "none":
            assert (ended[0].stage, source.sessions) == (Stage.TAKEN, set())
        else:
            await stays(source, visitor, id, ended[0])


@pytest.mark.parametrize("answer", [Kind.TOOK, Kind.NO])
async def test_a_transfer_that_ended_leaves_nothing_to_the_garbage_collector(secret: Keys, answer: Kind) -> None:
    async with cell(secret, hosts=1, room=False) as made:
        source, _, id = await somebody(made)
        target = made.hosts[0].host.play("worker 2")
        await made.hosts[0].host.joined()
        ended: list[weakref.ref[GroupTransfer]] = []
        across = source.links.across
        gc.disable()
        try:
            across.exports.transfer((id,), across.to("worker 2"), DRAIN, lambda one: ended.append(weakref.ref(one)))
            await until(lambda: target.came)
            target.peers.send("worker 1", answer, target.came[0][1].number)
            await until(lambda: ended and ended[0]() is None)
        finally:
            gc.enable()


@pytest.mark.parametrize("closes", [True, False], ids=["ended", "silent"])
@pytest.mark.parametrize("at", HOST_CUTS)
async def test_a_transfer_without_connections_that_is_cut_has_one_owner(secret: Keys, at: str, closes: bool) -> None:
    async with cell(secret, room=False) as made:
        source, visitor, id = await somebody(made)
        home = made.workers[1][0]
        made.hosts[1].relay.stop(*HOST_CUTS[at], closes)
        exports, migration = source.links.across.exports, made.hosts[0].host_migrations[source]
        released = exports.moving.release((id,))
        assert released is not None
        transfer = GroupTransfer(exports, released, DRAIN, 0.0)
        took = await migration.sent(made.hosts[1].name(1), transfer)
        owner = await made.owned(id)
        assert took == (TABLE[transfer.stage].owner == Owner.TARGET) == (at == "none")
        if took:
            assert owner is home
            os.close(released.descriptors[0])
        else:
            await stays(source, visitor, id, transfer)


async def test_a_transfer_by_a_tunnel_that_is_cut_has_one_owner_and_the_match_is_made(secret: Keys) -> None:
    for there, back in HOST_CUTS.values():
        if (there, back) != HOST_CUTS["none"]:
            await cut(secret, there, back, closes=True)
