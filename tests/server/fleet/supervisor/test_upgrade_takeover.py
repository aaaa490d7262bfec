"""The supervisor that comes after another one: what it is given, when it serves, and what it does where that one dies."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from engine.engine import OLDEST, VERSION
from server.fleet.ipc.ipc_link import Kind
from server.fleet.supervisor import supervisor_upgrade_state
from server.fleet.supervisor.child_process import ChildLink
from server.fleet.supervisor.upgrade_takeover import PreviousGeneration
from server.ops import version
from server.ops.process.listening_sockets import StartError, listen_at
from tests.server.fleet.processes.rig import pair


class Known(ChildLink):
    """A process of this generation."""

    name = "worker 1"


class Both:
    """The other supervisor, which the test plays, and this side of it, with one process."""

    def __init__(self) -> None:
        ours, theirs = pair()
        up, self.process = pair()
        for end in (ours, theirs, up, self.process):
            end.setblocking(False)
        self.other, self.before = ChildLink(theirs), PreviousGeneration(ours)
        self.said: list[str] = []
        self.child = Known(up)
        children: dict[str, Any] = {"worker 1": self.child}
        self.before.subscribe(children, lambda: self.said.append("begin"), lambda: self.said.append("alone"))

    def told(self, line: ChildLink | None = None) -> list[tuple[int, list[Any]]]:
        """What the other supervisor is told, or the process."""
        return [(said.kind, said.records) for said in (line or self.other).read()]

    def end(self) -> None:
        self.before.close()
        for end in (self.other.sock, self.child.sock, self.process):
            end.close()


@pytest.fixture
def both() -> Iterator[Both]:
    one = Both()
    yield one
    one.end()


def test_it_goes_on_with_what_the_other_has(both: Both) -> None:
    theirs = supervisor_upgrade_state.made(3)
    theirs.sockets.get("server", lambda: listen_at("127.0.0.1", 0)).close()
    records, descriptors = theirs.packed()
    both.other.tell(Kind.HOST, *records, descriptors=descriptors)
    ours = both.before.receive(3)
    assert ours.first == 3
    assert ours.sockets.all()["server"].getsockname() == theirs.sockets.all()["server"].getsockname()
    for one in (ours, theirs):
        one.sockets.close()
        one.table.close()


def test_a_server_of_one_process_is_not_followed(both: Both) -> None:
    both.other.tell(Kind.SOCKETS, ["server"])
    with pytest.raises(StartError, match="needs a restart"):
        both.before.receive(3)


def test_one_that_ends_before_it_gave_anything_is_not_followed_either(both: Both) -> None:
    both.other.sock.close()
    with pytest.raises(StartError, match="gave nothing"):
        both.before.receive(3)


def test_nobody_is_taken_in_before_it_says_so_and_operators_are_answered_when_it_has_ended(both: Both) -> None:
    process = ChildLink(both.process)
    both.before.serves()
    assert both.told() == [(Kind.READY, [[OLDEST, VERSION], version.VERSION])]
    both.before.turn({})
    assert (both.said, both.told(process)) == ([], [])
    both.other.tell(Kind.BEGIN)
    both.before.turn({})
    assert (both.said, both.told(process)) == (["begin"], [(Kind.BEGIN, [])])
    both.other.tell(Kind.END)
    both.before.turn({})
    assert (both.said, both.told(process)) == (["begin", "alone"], [])
    assert both.before.way() is None


@pytest.mark.parametrize("ready", [False, True])
def test_where_the_other_dies_this_one_serves_as_soon_as_it_can(both: Both, ready: bool) -> None:
    if ready:
        both.before.serves()
    both.other.sock.close()
    both.before.turn({})
    assert both.said == (["begin", "alone"] if ready else [])
    if not ready:
        both.before.serves()
    assert both.said == ["begin", "alone"]


def test_a_link_to_one_of_the_other_generation_is_passed_on_and_its_death_too(both: Both) -> None:
    process = ChildLink(both.process)
    one, two = pair()
    pidfd = os.pidfd_open(os.getpid())
    both.other.tell(Kind.PEER, "worker 1", "last office", 7, descriptors=(one.fileno(), pidfd))
    # of who was waited for before: one that was closed since gives this one its number
    both.before.turn(dict.fromkeys(range(256), select.POLLIN))
    (said,) = process.read()
    assert (said.kind, said.records) == (Kind.PEER, ["last frontend", 7, True])
    poll = select.poll()
    both.before.register(poll)
    for end in both.before.way() or pytest.fail("there is a frontend"):
        end.close()
    (theirs,) = both.before._there.values()
    both.before.turn({theirs: select.POLLIN})  # as the system says it of one that is dead
    assert both.told(process) == [(Kind.DEAD, ["last frontend"])]
    assert both.before.way() is None, "there is no frontend to hand anything over"
    for end in (one, two):
        end.close()
    os.close(pidfd)


def test_why_it_cannot_serve_is_told(both: Both) -> None:
    both.before.failed("no")
    assert both.told() == [(Kind.FAILED, ["no"])]


def test_of_a_process_of_ours_the_other_gets_a_descriptor_and_with_the_frontend_a_way_to_it(both: Both) -> None:
    ends = both.before.way()
    assert ends is not None
    pidfd = os.pidfd_open(os.getpid())

    class Frontend(Known):
        name, pid = "frontend", 9

    frontend = Frontend(both.child.sock)
    frontend.pidfd = pidfd  # type: ignore[attr-defined]
    both.before.started(frontend, ends[1])  # type: ignore[arg-type]
    (said,) = [(said.kind, said.records, len(said.descriptors)) for said in both.other.read()]
    assert said == (Kind.CHILD, ["office", 9], 2), "as an earlier release knows it"
    for end in ends:
        end.close()
    os.close(pidfd)


def test_a_socket_that_is_closed_is_not_waited_for(both: Both) -> None:
    both.other.sock.close()
    both.before.turn({})
    poll = select.poll()
    both.before.register(poll)
    assert poll.poll(0) == []
    assert isinstance(both.child.sock, socket.socket)
