"""A real process is killed at each named point of a move: each person is in one place, nobody is in half a chat, nobody is lost in silence.

Rule: the service's hub, links and workers, each in a process of its own under the real supervisor; the process kills itself where the point
is (`server.ops.process.fault_points`), in its first life alone.
"""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.rooms import hub as engine_hub
from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Meeting, Member, Row
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.supervisor.child_process import ChildStart
from server.main.processes import hub_process
from server.ops.config.settings import Settings
from server.ops.process import fault_points
from server.ops.process.listening_sockets import listen_public
from server.ops.security.secret_keys import Keys
from tests.engine.meetings import row_of
from tests.ext.net.rig import frame, head
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.forked import Forked, Life, Say, forked, told
from tests.server.fleet.processes.rig import Told, Working

NAMES = ("worker 1", "worker 2")
WORDS = ("sailing", "chess")
Together = tuple["Several", list[tuple["Caller", "Caller"]]]


class Caller:
    """Somebody by TCP, who waits."""

    def __init__(self, port: int, word: str = "sailing") -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._read = b""
        self._sock.sendall(head())
        self.hears("hello")
        self._sock.sendall(frame(b'{"type":"find","strict":true,"interests":["%s"]}' % word.encode()))

    def hears(self, what: str) -> None:
        """Wait for a frame with this in it; what came before is forgotten."""
        wanted = f'"{what}"'.encode()
        while wanted not in self._read:
            data = self._sock.recv(65_536)
            assert data, f"closed, and not told {what}: {self._read!r}"
            self._read += data
        self._read = self._read.partition(wanted)[2]

    def says(self, text: str) -> None:
        """A line of a chat."""
        self._sock.sendall(frame(b'{"type":"message","text":"%s"}' % text.encode()))

    def answers(self) -> None:
        """They are served."""
        self._sock.sendall(frame(b'{"type":"ping"}'))
        self.hears("pong")

    def is_closed(self) -> bool:
        """Wait for the end of the connection."""
        try:
            while self._sock.recv(65_536):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self) -> None:
        self._sock.close()


async def wait(up: socket.socket, _: Say) -> int:
    """The service's hub."""
    return await hub_process.serve(ChildStart(up), Settings(), Settings, "")


async def send_together(up: socket.socket, _: Say) -> int:
    """A hub that is played: once two wait at each worker it sends those of the first together, each to who says the same word."""
    hub, end = Told(up), told(signal.SIGTERM)
    hub.peers.ready()
    waiting: dict[str, dict[str, Row]] = {name: {} for name in NAMES}
    while any(len(tickets) < len(WORDS) for tickets in waiting.values()):
        await until(lambda: hub.came)
        name, message = hub.came.pop(0)
        for row in message.records if message.kind == Kind.ROWS else ():
            if row[0] == rows.TICKET:
                waiting[name][row[4][0]] = row
    go = []
    for id, word in enumerate(WORDS, 1):
        who = tuple(Member(waiting[name][word][1], waiting[name][word][2], at) for at, name in enumerate(NAMES, 1))
        go.append([rows.GO, who[0].client, 2, row_of(Meeting(id, who, (0.0, 0.0), (word,), 1.0, "any"))])
    hub.peers.send(NAMES[0], Kind.ROWS, *go)
    await end.wait()
    return 0


class Several:
    """A hub and two workers, whose first lives end at a point."""

    def __init__(self, folder: Path, secret: Keys, point: str, stack: ExitStack, hub: Life = wait) -> None:
        self._stack = stack
        listening = {name: stack.enter_context(listen_public("127.0.0.1", 0)) for name in NAMES}
        self._ports = {name: sock.getsockname()[1] for name, sock in listening.items()}

        def worker(number: int) -> Life:
            name = NAMES[number - 1]

            async def live(up: socket.socket, say: Say) -> int:
                first = folder / name
                if not first.exists():
                    first.touch()
                    fault_points._named, fault_points._left = point, 1
                end = told(signal.SIGTERM)
                one = Working(up, number, secret)
                one.worker.reactor.listen(listening[name].fileno())
                one.peers.ready()
                await end.wait()
                return 0

            return live

        self.host: Forked = stack.enter_context(forked({HUB: hub, NAMES[0]: worker(1), NAMES[1]: worker(2)}))
        self.host.hear("supervisor", None, "ready")

    def call(self, name: str, word: str = "sailing") -> Caller:
        """Somebody at a worker, who looks for somebody."""
        caller = Caller(self._ports[name], word)
        self._stack.callback(caller.close)
        return caller

    def died(self) -> str:
        """Which worker has died."""
        name: str = self.host.hear("supervisor", None, "died")[3]
        return name


@pytest.fixture
def several(
    request: pytest.FixtureRequest, tmp_path: Path, secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Several]:
    """By the point that the test names."""
    monkeypatch.setattr(engine_hub, "PENDING_FOR", 0.05)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with ExitStack() as stack:
        yield Several(tmp_path, secret, request.param, stack)


@pytest.fixture
def together(
    request: pytest.FixtureRequest, tmp_path: Path, secret: Keys, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Together]:
    """By the point that the test names: two at the first worker who are sent together, each with their partner at the second."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with ExitStack() as stack:
        made = Several(tmp_path, secret, request.param, stack, send_together)
        # the last of them makes the hub send the two
        yield made, [(made.call(NAMES[0], word), made.call(NAMES[1], word)) for word in WORDS]


def talk(one: Caller, two: Caller) -> None:
    """Each hears the other."""
    for caller in (one, two):
        caller.hears("matched")
    for speaker, hearer, text in ((one, two, "hello"), (two, one, "hello yourself")):
        speaker.says(text)
        hearer.hears(text)


@pytest.mark.parametrize("several", ["release"], indirect=True)
def test_one_that_dies_before_it_sent_takes_only_its_own_and_the_other_waits_on(several: Several) -> None:
    callers = {name: several.call(name) for name in NAMES}
    dead = several.died()
    (lives,) = set(NAMES) - {dead}
    assert callers[dead].is_closed()
    talk(several.call(lives), callers[lives])


@pytest.mark.parametrize("several", ["sent"], indirect=True)
def test_one_that_dies_after_it_sent_costs_nobody_who_went(several: Several) -> None:
    callers = [several.call(name) for name in NAMES]
    several.died()
    talk(*callers)


@pytest.mark.parametrize("several", ["took", "taken"], indirect=True)
def test_one_that_dies_when_it_took_them_takes_both_sides_and_the_next_meet(several: Several) -> None:
    callers = [several.call(name) for name in NAMES]
    dead = several.died()
    for caller in callers:
        assert caller.is_closed()
    talk(several.call(dead), several.call(dead))


@pytest.mark.parametrize("together", ["release"], indirect=True)
def test_one_that_dies_before_it_sent_several_takes_only_its_own(together: Together) -> None:
    several, pairs = together
    assert several.died() == NAMES[0]
    for caller, partner in pairs:
        assert caller.is_closed()
        partner.answers()


@pytest.mark.parametrize("together", ["sent"], indirect=True)
def test_one_that_dies_after_it_sent_several_costs_none_of_them(together: Together) -> None:
    several, pairs = together
    assert several.died() == NAMES[0]
    for caller, partner in pairs:
        talk(caller, partner)


@pytest.mark.parametrize("together", ["took", "taken"], indirect=True)
def test_one_that_dies_when_it_took_several_takes_all_of_them(together: Together) -> None:
    several, pairs = together
    assert several.died() == NAMES[1]
    for caller in (caller for pair in pairs for caller in pair):
        assert caller.is_closed()
