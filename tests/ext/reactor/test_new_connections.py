"""Test newcomers over real sockets: counted from their acceptance, answered if there is no room, and no descriptor lost."""

import contextlib
import errno
import gc
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.wire.protocol import HTTP
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from tests.ext.net.rig import Rig, head, split
from tests.support.descriptors import more_than, opened

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Listening(Rig):
    """A rig with a listener of its own."""

    def __init__(self, proxies: tuple[str, ...] = (), judge: Judge | None = None, **options: Any) -> None:
        super().__init__(
            judge or Judge(hosts=["localhost"], origins=[], proxies=list(proxies)),
            Addresses(open_max=100, burst=40, rate=4, limits=True, coming_max=3),
            **options,
        )
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listener.setblocking(False)
        self.reactor.listen(self.listener.fileno())
        self.clients: list[socket.socket] = []

    def connect(self, said: bytes = b"") -> socket.socket:
        """A client whose connection the kernel has taken; `said` is sent at once."""
        client = socket.create_connection(self.listener.getsockname(), timeout=10)
        self.clients.append(client)
        if said:
            client.sendall(said)
        return client

    def heard(self, client: socket.socket) -> bytes:
        """All that a client is sent until the server hangs up; `b"…"` stands for nothing yet."""
        self.run()
        client.setblocking(False)
        found = b""
        try:
            while part := client.recv(65536):
                found += part
        except BlockingIOError:
            return found + "…".encode()
        except ConnectionResetError:
            pass
        return found

    def end(self) -> None:
        """Nothing is left of anybody."""
        for client in self.clients:
            client.close()
        self.run()
        self.later(15)
        assert (self.reactor.connections, self.reactor.newcomers) == (0, 0)
        self.listener.close()


def highest() -> int:
    """The highest number of a descriptor that this process holds."""
    return max(int(name) for name in os.listdir("/proc/self/fd") if Path("/proc/self/fd", name).exists())


@contextmanager
def at_most(count: int) -> Iterator[None]:
    """This process gets no descriptor with this number or a higher one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_an_address_has_so_many_connections_that_say_nothing_and_the_rest_is_told_at_once() -> None:
    rig = Listening(limits=True)
    silent = [rig.connect() for _ in range(5)]
    heard = [rig.heard(client) for client in silent]
    assert heard[:3] == ["…".encode()] * 3
    assert [answer[:13] for answer in heard[3:]] == [b"HTTP/1.1 429 "] * 2
    assert b"Retry-After: 10\r\n" in heard[3]
    assert rig.reactor.newcomers == 3
    rig.end()


def test_a_silent_one_ends_in_time_and_another_may_come() -> None:
    rig = Listening()
    silent = [rig.connect() for _ in range(3)]
    rig.run()
    rig.later(11)
    assert rig.heard(silent[0]).startswith(b"HTTP/1.1 408 ")
    for client in silent:
        client.close()
    rig.run()
    assert rig.heard(rig.connect(GET)) == "…".encode()
    [fd_event] = [event for event in rig.events if event[0] == 4]
    os.close(fd_event[1])
    rig.end()


def test_who_is_let_in_or_handed_over_is_no_newcomer_and_who_was_refused_is_one_until_gone() -> None:
    rig = Listening()
    opened, handed, refused = rig.connect(head()), rig.connect(GET), rig.connect(b"hello\r\n\r\n")
    assert rig.heard(opened).startswith(b"HTTP/1.1 101 ")
    rig.heard(handed)
    assert rig.heard(refused).startswith(b"HTTP/1.1 400 ")
    assert rig.reactor.newcomers == 1
    refused.close()
    rig.run()
    assert (rig.reactor.newcomers, rig.reactor.online) == (0, 1)
    [fd] = [event[1] for event in rig.events if event[0] == 4]
    os.close(fd)
    rig.end()


def test_little_of_what_stands_behind_a_head_is_read_before_it_is_known_whose_it_is() -> None:
    rig = Listening()
    rig.connect(GET + b"x" * 60_000)
    rig.run()
    [(fd, begun)] = [(event[1], event[3]) for event in rig.events if event[0] == HTTP]
    assert begun.startswith(GET)
    assert len(begun) == 16 * 1024 + 1
    with socket.socket(fileno=fd) as theirs:
        assert theirs.recv(60_000) == b"x" * (60_000 + len(GET) - len(begun))
    rig.end()


def test_frames_far_behind_a_head_are_heard_once_the_gate_is_open() -> None:
    rig = Listening()
    pings = 3_000
    client = rig.connect(head("/ws") + b"\x89\x80\0\0\0\0" * pings)
    assert rig.heard(client).startswith(b"HTTP/1.1 101 ")
    assert rig.reactor.counters()["frames"] == pings
    rig.end()


def test_a_proxy_of_ours_brings_as_many_as_it_likes() -> None:
    rig = Listening(proxies=("127.0.0.0/8",))
    silent = [rig.connect() for _ in range(20)]
    assert {rig.heard(client) for client in silent} == {"…".encode()}
    assert rig.reactor.newcomers == 20
    rig.end()


def test_where_not_one_descriptor_is_left_newcomers_are_told_and_not_left_waiting() -> None:
    rig = Listening(proxies=("127.0.0.0/8",))
    clients = [rig.connect(GET) for _ in range(5)]
    taken: list[int] = []
    gc.collect()  # what other tests left would give its numbers back in the midst
    with at_most(highest() + 20):
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(rig.listener.fileno()))
        heard = [rig.heard(client) for client in clients]
    assert [answer[:13] for answer in heard] == [b"HTTP/1.1 503 "] * 5
    assert rig.reactor.counters()["head_short"] == 5
    for fd in taken:
        os.close(fd)
    assert rig.heard(rig.connect()) == "…".encode()
    rig.end()


def told(heard: bytes) -> tuple[bytes, int]:
    """The error frame and the close code behind the answer 101."""
    answer, _, frames = heard.partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    error, close = [payload for _, payload in split(frames)]
    return error, int.from_bytes(close)


def test_near_the_limit_newcomers_are_told_that_the_server_is_full_and_at_its_end_unheard() -> None:
    rig = Listening(proxies=("127.0.0.0/8",))
    rig.end()
    gc.collect()  # what other tests left would give its numbers back in the midst
    with contextlib.ExitStack() as holes:
        while (lowest := os.dup(0)) < highest():
            holes.callback(os.close, lowest)
        os.close(lowest)
        full_at_its_end(lowest)


def full_at_its_end(lowest: int) -> None:
    """Descriptors are given from `lowest` on, one behind the other."""
    # A sixteenth of the limit is kept, as much before it is for being told. Each connection here takes two, the client's as well.
    limit = (lowest + 20) * 16 // 14
    rig = Listening(proxies=("127.0.0.0/8",), descriptors=limit)
    silent = []
    while rig.heard(rig.connect(b"")) == "…".encode() and rig.reactor.newcomers < 40:
        silent.append(rig.clients[-1])
    assert rig.reactor.counters()["head_short"] == 1  # the last one: its head was not waited for
    for client in silent:
        client.sendall(GET)
    heard = [rig.heard(client) for client in silent]
    assert len([answer for answer in heard if answer == "…".encode()]) >= 5  # handed over
    assert heard[-1].startswith(b"HTTP/1.1 503 ")
    for event in rig.events:
        os.close(event[1])
    rig.end()


def test_a_web_socket_is_told_by_a_close_code_where_few_descriptors_are_left() -> None:
    taken = [os.dup(0) for _ in range(70)]  # so that the parts of the limit are wide enough to aim at
    limit = max(taken)
    while limit - limit // 16 < max(taken) + 8:  # the newcomer's is the fifth from here
        limit += 1
    rig = Listening(descriptors=limit)
    client = rig.connect(head())
    error, code = told(rig.heard(client))
    assert b'"code":"busy"' in error
    assert code == 1013
    for fd in taken:
        os.close(fd)
    rig.end()


@pytest.mark.parametrize("said", [head(), GET, b""])
def test_newcomers_in_the_drain_are_told_to_come_back(said: bytes) -> None:
    rig = Listening()
    rig.reactor.put_off_newcomers()
    client = rig.connect(said)
    if not said:
        assert rig.heard(client) == "…".encode()
        rig.later(11)
    heard = rig.heard(client)
    if said == head():
        error, code = told(heard)
        assert b'"code":"restart"' in error
        assert code == 1012
    else:
        assert heard.startswith(b"HTTP/1.1 503 " if said else b"HTTP/1.1 408 ")
        assert not said or b"Retry-After: 5\r\n" in heard
    assert rig.reactor.connections == rig.reactor.newcomers == 1
    rig.end()


class Faulty(Judge):  # type: ignore[misc]
    """A judge that fails where it is asked about a newcomer."""

    def trusts(self, address: str) -> bool:
        raise MemoryError


def test_an_exception_while_a_newcomer_is_taken_costs_no_descriptor() -> None:
    rig = Listening(judge=Faulty(hosts=["localhost"], origins=[], proxies=[]))
    gc.collect()
    before = opened()
    for _ in range(20):
        assert rig.heard(rig.connect()) == b""
        rig.clients.pop().close()
    assert not more_than(before)
    assert rig.reactor.counters()["head_short"] == 20
    rig.end()


NO_MEMORY = """
import os, socket, sys
try:
    from _testcapi import set_nomemory, remove_mem_hooks
except ImportError:
    print("skip"); sys.exit()
from tests.ext.reactor.test_new_connections import GET, Listening
from tests.ext.net.rig import head
rig = Listening()
def ledger():
    held = [event[1] for event in rig.events if event[0] == 4]
    for fd in held:
        os.close(fd)
    rig.events.clear()
    return len(os.listdir("/proc/self/fd"))
before = ledger()
raised = 0
for said in (b"", GET, head(), b"hello\\r\\n\\r\\n"):
    for nth in range(1, 60):
        client = socket.create_connection(rig.listener.getsockname())
        if said:
            client.sendall(said)
        for _ in range(3):
            set_nomemory(nth, nth + 1)
            try:
                found = rig.reactor.drain(rig.now)
                found += rig.reactor.settle(rig.now)
            except MemoryError:
                found = []
                raised += 1
            finally:
                remove_mem_hooks()
            rig.events += found
        client.close()
        for fd in [event[1] for event in rig.events if event[0] == 4]:
            os.close(fd)
        rig.events.clear()
        rig.run()
        rig.later(15)
        for fd in [event[1] for event in rig.events if event[0] == 4]:
            os.close(fd)
        rig.events.clear()
print(len(os.listdir("/proc/self/fd")) - before, rig.reactor.connections, rig.reactor.newcomers, raised > 0)
"""


def test_no_memory_at_any_allocation_of_an_entrance_costs_no_descriptor() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # it needs memory too
    said = subprocess.run(
        [sys.executable, "-c", NO_MEMORY], capture_output=True, text=True, check=True, timeout=120, env=env
    )
    if said.stdout.strip() == "skip":
        pytest.skip("this Python has no _testcapi")
    assert said.stdout.strip() == "0 0 0 True", said.stderr


CIRCLE = """
import gc
from tests.ext.net.rig import Rig
gc.disable()
rig = Rig()
peers = [rig.dial() for _ in range(3)] + [rig.begin()]
class Holder: pass
holder = Holder()
holder.reactor, holder.itself = rig.reactor, holder
sockets = [peer.sock for peer in peers]
for peer in peers:
    del peer.rig
rig.__dict__.clear()
del rig, peers, peer, holder
gc.collect()
print([sock.recv(1) for sock in sockets] == [b""] * 4)
"""


def test_a_reactor_with_open_connections_may_end_as_garbage() -> None:
    said = subprocess.run([sys.executable, "-c", CIRCLE], capture_output=True, text=True, check=False, timeout=60)
    assert (said.returncode, said.stdout) == (0, "True\n"), said.stderr


NO_BUFFERS = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) { errno = atoi(getenv("FAILS_WITH")); return -1; }
"""
PAUSES = """
from tests.ext.reactor.test_new_connections import Listening
rig = Listening()
client = rig.connect()
before = rig.idle_bytes()
rig.turn()
print(before, rig.idle_bytes(), rig.reactor.counters()["head_short"])
rig.later(1)
print(rig.idle_bytes())
"""


@pytest.mark.parametrize("error", [errno.ENOBUFS, errno.ENOMEM])
def test_where_the_kernel_has_no_memory_the_listener_rests_for_a_second(error: int, tmp_path: Path) -> None:
    library, source = tmp_path / "fails.so", tmp_path / "fails.c"
    source.write_text(NO_BUFFERS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    loaded = filter(None, (os.environ.get("LD_PRELOAD"), str(library)))  # a sanitizer's runtime wants to be the first
    environment = {**os.environ, "LD_PRELOAD": " ".join(loaded), "FAILS_WITH": str(error)}
    said = subprocess.run(
        [sys.executable, "-c", PAUSES], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    assert said.stdout.splitlines() == ["True False 1", "True"]
