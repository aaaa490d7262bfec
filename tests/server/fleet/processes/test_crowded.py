"""Too much waits for a process: nothing is added that can be done without, and nobody who waits loses their place."""

import socket

import pytest

from server.fleet.ipc import ipc_link
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB
from server.fleet.processes import session_lookup
from server.fleet.processes.http_forwarding import HttpForwarding
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told, Visitor, Working, answers, sent_to


async def test_a_link_is_full_beyond_what_may_wait_and_not_when_it_was_read(made: Host) -> None:
    one, two = made.play("worker 1"), made.play("worker 2")
    await made.joined()
    piece = bytes(100_000)
    loop = two.peers._links["worker 1"]._loop
    loop.remove_reader(two.peers._links["worker 1"]._sock.fileno())
    while not one.peers.full("worker 2"):
        one.peers.send("worker 2", Kind.LOAD, pieces=[piece])
    assert ipc_link.WAITING_MAX < one.peers._links["worker 2"].waiting <= ipc_link.WAITING_MAX + 101_000
    loop.add_reader(two.peers._links["worker 1"]._sock.fileno(), two.peers._links["worker 1"]._readable)
    await until(lambda: not one.peers.full("worker 2"))
    assert not one.peers.full("worker 3")


async def test_a_hub_that_takes_nothing_costs_newcomers_their_find_and_nobody_their_place(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.hub()
    one = made.worker(1)
    await made.joined()
    waits, _ = await made.waiting(one, "sailing")
    late, _, _ = await made.visitor(one)
    monkeypatch.setattr(ipc_link, "WAITING_MAX", -1)
    late.find("sailing")
    assert (await late.hears("error"))["code"] == "busy"
    waits.find("chess")
    await waits.hears("waiting")
    monkeypatch.undo()
    other, _, _ = await made.visitor(one)
    other.find("chess")
    await other.hears("matched")
    await waits.hears("matched")


async def test_nobody_goes_to_a_worker_that_takes_nothing(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, one, two = made.play(HUB), made.worker(1), made.play("worker 2")
    await made.joined()
    visitor, id, _ = await made.visitor(one)
    one.room.is_full = lambda: False
    monkeypatch.setattr(ipc_link, "WAITING_MAX", -1)
    await sent_to(hub, visitor, id, 2)
    await hub.rows("failed")
    await answers(visitor)
    assert (one.sessions, two.of(Kind.COME)) == ({id}, [])


async def test_who_resumes_is_not_looked_for_at_one_that_takes_nothing(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = made.worker(1), made.play("worker 2")
    await made.joined()
    visitor, _, _ = await made.visitor(one)
    monkeypatch.setattr(ipc_link, "WAITING_MAX", -1)
    visitor.ask("resume", token=one.tokens.seal(12345, 0), last=0)
    assert (await visitor.hears("resumed", "error"))["code"] == "no_session"
    assert two.of(Kind.WHO) == []


async def found_at_one_that_takes_nothing(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> tuple[Working, Told, Visitor, int]:
    """Somebody of worker 1 whose session is at worker 2, which is played, and to which too much waits since it said so."""
    one, two = made.worker(1), made.play("worker 2")
    await made.joined()
    visitor, id, _ = await made.visitor(one)
    monkeypatch.setattr(session_lookup, "WITHIN", 1e6)
    visitor.ask("resume", token=one.tokens.seal(12345, 0), last=0)
    (key,) = (await two.next(Kind.WHO)).records
    monkeypatch.setattr(ipc_link, "WAITING_MAX", -1)
    two.peers.send("worker 1", Kind.MINE, key, "")
    await until(lambda: not one.links.session_lookup._lookups)
    return one, two, visitor, id


async def test_who_resumes_waits_until_the_process_of_their_session_takes_more(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, visitor, id = await found_at_one_that_takes_nothing(made, monkeypatch)
    assert (visitor.hear(), one.sessions) == ([], {id})
    monkeypatch.undo()
    await until(lambda: two.of(Kind.COME))
    assert (two.of(Kind.COME)[0].records[1], visitor.hear(), one.sessions) == (id, [], set())


async def test_who_waits_for_a_process_that_dies_is_told(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _, visitor, id = await found_at_one_that_takes_nothing(made, monkeypatch)
    made.kill("worker 2")
    assert (await visitor.hears("resumed", "error"))["code"] == "no_session"
    await answers(visitor)
    assert one.sessions == {id}


async def test_a_request_for_a_frontend_that_takes_nothing_is_closed_and_counted(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, frontend = made.play("worker 1"), made.play(FRONTEND)
    await made.joined()
    outward = HttpForwarding(lambda: worker.peers)
    monkeypatch.setattr(ipc_link, "WAITING_MAX", -1)
    ours, theirs = socket.socketpair()
    with ours:
        outward.take(theirs.detach(), b"GET / HTTP/1.1\r\n\r\n", 0.0)
        assert ours.recv(1) == b""
    assert (outward.lost, frontend.of(Kind.HTTP)) == (1, [])
