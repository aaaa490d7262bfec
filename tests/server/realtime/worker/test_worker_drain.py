"""At the end everybody is told to come back, at moments of their own, and who does not go is waited for no longer than was said."""

import asyncio

from server.ops.process.listening_sockets import listen_public
from server.realtime.worker.worker_drain import drain, tell_to_come_back
from server.realtime.worker.worker_loop import Worker
from tests.ext.net.rig import head
from tests.server.realtime.worker.test_worker_loop import connected, quiet


async def test_each_is_told_a_moment_of_their_own(worker: Worker) -> None:
    clients = await connected(worker, 20)
    tell_to_come_back(worker)
    await quiet(worker)
    moments = set()
    for client in clients:
        (said,) = client.hear()
        assert (said["type"], said["code"]) == ("error", "restart")
        moments.add(said["retry_after"])
        client.sock.close()
    assert len(moments) > 5
    assert all(isinstance(moment, float) and 0.5 <= moment <= 2.01 for moment in moments)


async def test_it_is_over_when_the_last_has_gone(worker: Worker) -> None:
    clients = await connected(worker, 3)
    draining = asyncio.create_task(drain(worker, 60))
    await quiet(worker)
    assert not draining.done()
    for client in clients:
        client.sock.close()
    await asyncio.wait_for(draining, 10)
    assert worker.reactor.connections == 0


async def test_who_does_not_go_is_waited_for_as_long_as_was_said(worker: Worker) -> None:
    (client,) = await connected(worker, 1)
    await asyncio.wait_for(drain(worker, 0.05), 10)
    assert worker.reactor.connections == 1
    client.sock.close()


async def test_who_comes_meanwhile_is_told_to_come_back(worker: Worker) -> None:
    (client,) = await connected(worker, 1)
    with listen_public("127.0.0.1", 0) as knocked_at:
        worker.reactor.listen(knocked_at.fileno())
        draining = asyncio.create_task(drain(worker, 60))
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection(*knocked_at.getsockname())
        writer.write(head())
        said = await asyncio.wait_for(reader.read(), 10)
        assert b'"code":"restart"' in said
        assert b'"type":"hello"' not in said
        writer.close()
        client.sock.close()
        await asyncio.wait_for(draining, 10)
        assert worker.engine.online == 0
