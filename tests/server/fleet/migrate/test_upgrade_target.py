"""The new side while people come: who comes back before their session does waits for it, and what is unknown is skipped."""

import asyncio
import os
import socket

import orjson

from server.fleet.ipc.ipc_link import Kind
from server.fleet.roaming.tunnel_table import TunnelTable
from server.ops.security.secret_keys import Keys
from tests.ext.net.rig import frame
from tests.server.fleet.migrate.rig import Pair, pair, until
from tests.server.realtime.worker.test_worker_loop import Client, find


async def halted(made: Pair) -> "asyncio.Task[object]":
    """The new side serves, and nobody goes from the old one until `go`."""
    made.old.worker._put_off = asyncio.get_running_loop().call_later(60, lambda: None)
    run = asyncio.create_task(made.leaving.run())
    await made.arrive()
    return run


def go(made: Pair) -> None:
    """The turn that was put off is over."""
    put_off = made.old.worker._put_off
    assert put_off is not None
    put_off.cancel()
    made.old.worker._put_off = None


async def heard(client: Client, kind: str) -> dict[str, object]:
    """The next frame of a type."""
    frames: list[dict[str, object]] = []
    await until(lambda: frames.extend(client.hear()) or [frame for frame in frames if frame["type"] == kind])
    return next(frame for frame in frames if frame["type"] == kind)


async def test_who_comes_back_before_their_session_waits_for_it_and_goes_on(secret: Keys) -> None:
    async with pair(secret) as made:
        (away,) = await made.connect(1)
        session = next(iter(made.old.worker.engine.sessions.values()))
        token = made.old.worker._tokens.seal(session.key, session.identity)
        away.say(find("patience"))
        await made.settled()
        run = await halted(made)
        (back,) = await made.connect(1, made.new)
        back.say(orjson.dumps({"type": "resume", "token": token}))
        await until(lambda: made.leaving._people._wanted)
        assert back.hear() == []
        go(made)
        assert (await heard(back, "resumed"))["chat"] is None
        await run
        assert made.new.worker.engine.online == 1


async def test_who_asks_for_a_session_that_is_nowhere_is_told_so(secret: Keys) -> None:
    async with pair(secret) as made:
        run = await halted(made)
        (back,) = await made.connect(1, made.new)
        token = made.new.worker._tokens.seal(12345, 0)
        back.say(orjson.dumps({"type": "resume", "token": token}))
        assert (await heard(back, "error"))["code"] == "no_session"
        go(made)
        await run


async def test_who_asks_when_all_is_over_is_told_at_once(secret: Keys) -> None:
    async with pair(secret) as made:
        await made.hand_over()
        (back,) = await made.connect(1, made.new)
        back.say(orjson.dumps({"type": "resume", "token": made.new.worker._tokens.seal(12345, 0)}))
        await made.settled()
        assert [frame.get("code") for frame in back.hear()] == ["no_session"]


async def test_an_old_process_that_dies_leaves_nobody_waiting(secret: Keys) -> None:
    async with pair(secret) as made:
        run = await halted(made)
        (back,) = await made.connect(1, made.new)
        back.say(orjson.dumps({"type": "resume", "token": made.new.worker._tokens.seal(12345, 0)}))
        made.leaving.close()
        assert (await heard(back, "error"))["code"] == "no_session"
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        go(made)


async def test_a_message_of_a_newer_version_is_skipped_and_its_descriptors_are_closed(secret: Keys) -> None:
    async with pair(secret) as made:
        await made.hand_over()
        one, other = socket.socketpair()
        made.leaving._link.send(99, {"what": "ever"}, descriptors=[one.fileno()])  # type: ignore[arg-type]
        one.close()
        assert await asyncio.to_thread(other.recv, 1) == b""
        other.close()


async def test_a_save_that_ends_in_the_old_process_is_answered_by_the_new_one(secret: Keys) -> None:
    async with pair(secret) as made:
        (saver,) = await made.connect(1)
        session = next(iter(made.old.worker.engine.sessions))
        made.old.worker.engine.sessions[session].saves = (("a", b""),)
        await made.hand_over()
        made.leaving._answer(session, "/log/a", "/log/delete/b", 0.0)
        assert await heard(saver, "saved") == {"type": "saved", "url": "/log/a", "delete": "/log/delete/b"}


async def test_a_connection_of_http_goes_on_over_there(secret: Keys) -> None:
    async with pair(secret) as made:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        made.old.door.arrive(os.dup(theirs.fileno()), "", b"")
        theirs.close()
        await until(lambda: made.old.door.open == 1)
        await made.hand_over()
        await asyncio.wait_for(made.leaving.linger(10), 10)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(ours, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(loop.sock_recv(ours, 65_536), 10)).endswith(b"here\n")
        assert (made.old.door.open, made.new.door.open) == (0, 1)
        ours.close()
        await until(lambda: made.new.door.open == 0)


def test_kinds_have_numbers_that_are_never_given_again() -> None:
    assert {kind.name: kind.value for kind in Kind}["NO"] == 16
    assert len(Kind.__members__) == len(Kind), "a number that is two kinds'"


async def test_clients_of_tunnels_go_on_in_the_process_that_follows(secret: Keys) -> None:
    async with pair(secret) as made:
        old, new = TunnelTable(made.old.worker), TunnelTable(made.new.worker)
        made.old.ports.find_tunnels, made.new.ports.find_tunnels = lambda: old, lambda: new
        ends = [(socket.socketpair(), socket.socketpair()) for _ in range(20)]
        for number, ((ours, client), (near, home)) in enumerate(ends):
            for end in (ours, client, near, home):
                end.setblocking(False)
            record = {"id": number + 1, "address": "192.0.2.1"}
            old.open(ours.detach(), "192.0.2.1", {}, b"", near, record, "0000000002")
        await made.hand_over()
        assert (len(old), len(new)) == (0, 20)
        for (_, client), (_, home) in ends:
            client.send(frame(b"up"))
            home.send(b"\x81\x04down")
        await until(lambda: made.new.worker.reactor.counters()["tunnelled"] == 40)
        for (_, client), (_, home) in ends:
            assert client.recv(100) == b"\x81\x04down"
            assert home.recv(100) == frame(b"up")
            client.close()
            home.close()
        await until(lambda: not len(new))


async def test_a_save_that_the_old_process_did_not_answer_before_it_ended_is_answered(secret: Keys) -> None:
    async with pair(secret) as made:
        (saver,) = await made.connect(1)
        next(iter(made.old.worker.engine.sessions.values())).saves = (("a", b""),)
        await made.hand_over()
        assert saver.hear() == []
        made.leaving._link.close()
        assert (await heard(saver, "error"))["code"] == "not_saved"
