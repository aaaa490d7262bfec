"""A turn that takes too long is put off: nothing is told out of order, and everybody else goes on meanwhile.

Rule: the service's worker, reactor and engine over socket pairs; the bound of a turn is none at all, so that each event has
a turn of its own and whatever can come between two events does.
"""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import orjson
import pytest

from engine.core.ports import Bus, Out, Outside
from engine.core.states import CHATTING, WAITING
from engine.engine import Engine, Settings
from engine.wire.protocol import LEFT
from engine.wire.rule_constants import ON
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.ops.security.identity_cookie import Identities
from server.ops.security.random_ids import MOST
from server.ops.security.resume_tokens import Tokens
from server.ops.security.secret_keys import Keys, load
from server.realtime.worker import gc_tuning
from server.realtime.worker import worker_loop as module
from server.realtime.worker.worker_dependencies import NO_PORTS, WorkerPorts
from server.realtime.worker.worker_loop import Worker
from tests.ext.net.rig import CLOSE, TEXT, frame, head, line, split
from tests.server.realtime.worker.late_ports import LatePorts


class Client:
    """The other end of one connection."""

    def __init__(self, worker: Worker) -> None:
        ours, self.sock = socket.socketpair()
        for end in (ours, self.sock):
            end.setblocking(False)
        worker.reactor.adopt_socket(ours.fileno(), "192.0.2.1")
        ours.detach()
        self._begun = False

    def say(self, *payloads: bytes) -> None:
        """Text frames, in one packet."""
        self.sock.send(b"".join(map(frame, payloads)))

    def hear(self) -> list[dict[str, object]]:
        """What came since the last time."""
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return []
        if not self._begun and data:
            self._begun = True
            data = data.partition(b"\r\n\r\n")[2]
        return [orjson.loads(payload) for opcode, payload in split(data) if opcode == TEXT]


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


def turning(secret: Keys, ports: WorkerPorts = NO_PORTS) -> Worker:
    """A worker, with limits lifted."""
    reactor = Reactor(
        judge=Judge(hosts=("localhost",), origins=(), proxies=()),
        addresses=Addresses(open_max=1000, burst=1000, rate=1000, limits=False),
        now=0.0,
        limits=False,
    )

    def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
        return Engine.build(Rings(1 << 20), outside, out, bus, Settings(limits=False, pictures=ON))

    worker = Worker(reactor, make_engine, {}, Tokens(secret), Identities(bytes(32)), 15.0, ports=ports)
    worker.start()
    return worker


@pytest.fixture
def ports() -> LatePorts:
    """Those of `worker`."""
    return LatePorts()


@pytest.fixture
async def worker(secret: Keys, ports: LatePorts, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    """A worker that turns, an event a turn, and reads all sockets in one."""
    monkeypatch.setattr(module, "TURN", 0.0)
    monkeypatch.setattr(module, "READ", 1e6)
    worker = turning(secret, ports.given())
    yield worker
    worker.stop()


async def quiet(worker: Worker) -> None:
    """Until nothing is left to be told and nobody is left to be read."""
    idle = 0
    while idle < 3:
        await asyncio.sleep(0)
        idle = 0 if worker._put_off or worker._events else idle + 1


async def connected(worker: Worker, count: int) -> list[Client]:
    """So many who were greeted."""
    clients = [Client(worker) for _ in range(count)]
    for client in clients:
        client.sock.send(head())
    await quiet(worker)
    for client in clients:
        assert [heard["type"] for heard in client.hear()] == ["hello"]
    return clients


def find(word: str) -> bytes:
    return b'{"type":"find","strict":true,"interests":["%s"]}' % word.encode()


async def test_what_stands_behind_a_leave_reaches_nobody_whatever_comes_between(worker: Worker) -> None:
    one, two, *others = await connected(worker, 30)
    for client in (one, two):
        client.say(find("chess"))
    await quiet(worker)
    assert "matched" in [heard["type"] for heard in two.hear()]
    for number, other in enumerate(others):
        other.say(find(f"word {number}"))
    one.say(line("before"), b'{"type": "ping"}', b'{"type":"leave"}', line("behind"))
    for _ in range(200):
        worker.act(lambda _: None)  # as the timers and other people's requests do
        await asyncio.sleep(0)
    await quiet(worker)
    assert [heard.get("text", heard["type"]) for heard in two.hear()] == ["before", "left"]
    assert [heard.get("code", heard["type"]) for heard in one.hear()][-2:] == ["pong", "no_chat"]
    for client in (one, two, *others):
        client.sock.close()
    await quiet(worker)


async def test_other_work_of_the_loop_goes_on_between_two_events_and_who_talks_is_read(worker: Worker) -> None:
    one, two, *others = await connected(worker, 40)
    for client in (one, two):
        client.say(find("chess"))
    await quiet(worker)
    one.hear(), two.hear()
    for number, other in enumerate(others):
        other.say(find(f"word {number}"))
    await asyncio.sleep(0)
    one.say(line("meanwhile"))
    told, heard_at = [0], -1
    while told[-1] < len(others):
        await asyncio.sleep(0)
        told.append(sum(session.state == WAITING for session in worker.engine.sessions.values()))
        if heard_at < 0 and two.hear():
            heard_at = told[-1]
    assert max(after - before for before, after in pairwise(told)) <= 2
    assert 0 <= heard_at < len(others) - 1, "a line waits for nobody's find"
    for client in (one, two, *others):
        client.sock.close()
    await quiet(worker)


async def test_work_that_takes_the_loop_for_long_has_lines_read_in_between(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await connected(worker, 2)
    for client in (one, two):
        client.say(find("chess"))
    await quiet(worker)
    one.hear(), two.hear()
    one.say(line("hello"))
    monkeypatch.setattr(module, "TURN", 1_000_000.0)
    worker.read_if_due()
    assert two.hear() == [], "sockets were read a moment ago"
    monkeypatch.setattr(module, "TURN", 0.0)
    worker.read_if_due()  # without a turn of the loop
    assert [heard["text"] for heard in two.hear()] == ["hello"]
    worker.stop()
    one.say(line("too late"))
    worker.read_if_due()
    assert two.hear() == []
    for client in (one, two):
        client.sock.close()


async def test_a_turn_reads_who_chats_and_only_some_of_the_others(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, *others = await connected(worker, 20)
    for client in (one, two):
        client.say(find("chess"))
    await quiet(worker)
    one.hear(), two.hear()
    for number, other in enumerate(others):
        other.say(find(f"word {number}"))
    one.say(line("meanwhile"))
    monkeypatch.setattr(module, "READ", 1e-9)
    worker.read_if_due()
    assert [heard["text"] for heard in two.hear()] == ["meanwhile"]
    assert not worker.busy, "no second find was read"
    waiting = 1
    while waiting < len(others):
        await asyncio.sleep(0)
        waiting = sum(session.state == WAITING for session in worker.engine.sessions.values())
    for client in (one, two, *others):
        client.sock.close()
    monkeypatch.setattr(module, "READ", 1e6)
    await quiet(worker)


async def test_many_gates_are_opened_in_several_turns_and_all_of_them(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GATES", 1)
    monkeypatch.setattr(module, "PACKED", 0.0)
    monkeypatch.setattr(module, "TURN", 10.0)
    clients = await connected(worker, 20)
    for client in clients:
        client.hear()
        client.say(b'{"type":"seen","id":"x"}', b'{"type":"ping"}')
    seen = []
    while not seen or seen[-1]:
        await asyncio.sleep(0)
        if worker.reactor.gates or seen:
            seen.append(worker.reactor.gates)
            assert worker.busy == bool(seen[-1])
    assert len(set(seen)) > 10, "one at a time"
    await quiet(worker)
    assert all("pong" in [heard["type"] for heard in client.hear()] for client in clients)
    for client in clients:
        client.sock.close()
    await quiet(worker)


@pytest.mark.parametrize(("packed", "most"), [(0.0, 2), (10.0, 100)])
async def test_frames_that_one_client_packs_are_no_turns_whole_work(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, packed: float, most: int
) -> None:
    """One that needs a decision shuts the gate; what stands behind waits for the sockets, beyond PACKED, and is told in its order."""
    monkeypatch.setattr(module, "TURN", 10.0)
    monkeypatch.setattr(module, "PACKED", packed)
    (client,) = await connected(worker, 1)
    client.say(*[b'{"type":"seen","id":"x"}'] * 99, b'{"type":"leave"}')
    told: list[list[object]] = []
    while sum(map(len, told)) < 100:
        await asyncio.sleep(0)
        told.append([heard["of"] for heard in client.hear()])
    assert max(map(len, told)) in range(most // 2, most + 1)
    assert [of for turn in told for of in turn] == ["seen"] * 99 + ["leave"]
    client.sock.close()
    await quiet(worker)


async def test_who_goes_before_they_were_greeted_leaves_no_session(worker: Worker) -> None:
    clients = [Client(worker) for _ in range(20)]
    for number, client in enumerate(clients):
        client.sock.send(head() + (frame((1000).to_bytes(2), CLOSE) if number >= 5 else b""))
    await quiet(worker)
    assert worker.engine.online == len(worker.engine.sessions) == worker.reactor.online == 5
    for client in clients:
        client.sock.close()
    await quiet(worker)


async def test_sessions_that_come_as_fast_as_others_go_leave_few_young_objects(worker: Worker) -> None:
    before, young = gc.get_threshold(), [object()]
    gc.set_threshold(1_000_000, *before[1:])  # as if Python counted none, since as many are freed
    try:
        assert any(one is young for one in gc.get_objects(generation=0))
        for client in await connected(worker, gc_tuning.EVENTS):
            client.sock.close()
        await quiet(worker)
        assert not any(one is young for one in gc.get_objects(generation=0))
    finally:
        gc.set_threshold(*before)


async def test_a_worker_that_is_thrown_away_with_open_connections_takes_them_along(secret: Keys) -> None:
    client = (await connected(thrown := turning(secret), 1))[0]
    thrown.stop()
    del thrown
    gc.collect()
    assert client.sock.recv(1 << 10) == b""
    client.sock.close()


async def test_a_frame_that_is_injected_is_answered_at_once_whoever_waits(worker: Worker, ports: LatePorts) -> None:
    others = await connected(worker, 20)
    answers: list[dict[str, object]] = []
    ports.on_frames = lambda _, frames: answers.extend(orjson.loads(part) for part in frames if isinstance(part, bytes))
    session = worker.enter(77, "192.0.2.7")
    for number, other in enumerate(others):
        other.say(find(f"word {number}"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert worker._put_off is not None
    assert worker.inject(session.conn, find("word 19"))
    assert [answer["type"] for answer in answers] == ["matched"]
    assert session.state == CHATTING
    worker.drop(session.id, session.conn, LEFT)
    for other in others:
        other.sock.close()
    await quiet(worker)


async def heard_of(client: Client, kind: str) -> dict[str, object]:
    """The next frame of a type, whenever it comes."""
    while True:
        for heard in client.hear():
            if heard["type"] == kind:
                return heard
        await asyncio.sleep(0)


async def test_pictures_are_asked_for_when_an_answer_passed_and_what_is_seen_in_them_is_told(
    worker: Worker, ports: LatePorts
) -> None:
    ports.request_pictures = lambda chat, sides: tuple([f"{chat:x>21}{side}" for side in sides])
    one, two = await connected(worker, 2)
    for client in (one, two):
        client.say(b'{"type":"find","mode":"video","snaps":true}')
    chat = str((await heard_of(two, "matched"))["chat"])
    one.say(b'{"type":"signal","description":{"type":"answer","sdp":"v=0"}}')
    nonces = [str((await heard_of(client, "snap"))["nonce"]) for client in (one, two)]
    assert sorted(nonces) == [f"{chat:x>21}0", f"{chat:x>21}1"]
    worker.pictured(nonces[0], "theirs")
    worker.pictured(nonces[0], "hit")
    assert (await heard_of(one, "veil"))["why"] == "nudity"
    assert "veil" not in [heard["type"] for heard in two.hear()]
    draw = worker.engine._core.outside.draw_number
    assert all(0.0 <= draw() < 1.0 for _ in range(1_000))
    worker.ids._page[:] = [MOST]
    assert draw() < 1.0
    worker.change_pictures(0.0, False)
    three, four = await connected(worker, 2)
    for client in (three, four):
        client.say(b'{"type":"find","mode":"video"}')
    await heard_of(four, "matched")
    for client in (one, two, three, four):
        client.sock.close()
