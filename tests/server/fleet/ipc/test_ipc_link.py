"""The link of two processes: what is sent comes whole, once and in order, with its descriptors, or the link is down and says why."""

import array
import asyncio
import errno
import os
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from server.fleet.ipc import ipc_link as module
from server.fleet.ipc.ipc_link import HEAD, MESSAGE_MAX, WAITING_MAX, WIRE, Kind, Link, LinkDown, Message
from tests.support.descriptors import more_than, opened


class End:
    """One end, and what came to it."""

    def __init__(self, sock: socket.socket) -> None:
        self.came: list[Message] = []
        self.fallen: list[str] = []
        self._news = asyncio.Event()
        self.link = Link(sock, self._take, self._fall)

    def _take(self, message: Message) -> None:
        self.came.append(message)
        self._news.set()

    def _fall(self, why: str) -> None:
        self.fallen.append(why)
        self._news.set()

    async def until(self, count: int) -> None:
        """So many messages came, or it is down."""
        async with asyncio.timeout(10):
            while len(self.came) < count and not self.fallen:
                self._news.clear()
                await self._news.wait()

    async def fall(self) -> str:
        """Why it is down."""
        await self.until(1 << 30)
        return self.fallen[0]


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[End, End]]:
    one, two = map(End, pair())
    yield one, two
    for end in (one, two):
        end.link.close()
        for message in end.came:
            for descriptor in message.descriptors:
                os.close(descriptor)


@contextmanager
def raw() -> Iterator[tuple[socket.socket, End]]:
    """A link whose other end says what it wants."""
    sock, other = pair()
    end = End(other)
    yield sock, end
    end.link.close()
    sock.close()


class Short(socket.socket):
    """A socket that lacks memory for its next messages, and how often it was asked meanwhile."""

    lacks = asked = 0

    def send(self, *said: object) -> int:
        """Send, or fail as the kernel does."""
        if self.asked < self.lacks:
            self.asked += 1
            raise OSError(errno.ENOBUFS, "no memory")
        return super().send(*said)  # type: ignore[arg-type]


async def full_link(sock: socket.socket) -> tuple[Short, End, int]:
    """A link whose socket accepted so many messages, and one more is queued."""
    short, count = Short(fileno=sock.detach()), 0
    end = End(short)
    while not end.link.waiting:
        end.link.send(Kind.TOOK, "a" * 10_000)
        count += 1
    return short, end, count


async def test_a_socket_without_memory_is_asked_again_in_a_while_and_not_in_each_turn_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AGAIN", 3_600.0)
    ours, theirs = pair()
    short, end, count = await full_link(ours)
    short.lacks = 1_000
    for _ in range(count - 1):
        theirs.recv(MESSAGE_MAX)
    while not short.asked:  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert short.asked == 1
    end.link.close()
    theirs.close()


async def test_what_a_socket_without_memory_did_not_accept_comes_later() -> None:
    ours, theirs = pair()
    short, end, count = await full_link(ours)
    short.lacks = 3
    other = End(theirs)
    await other.until(count)
    assert ([message.number for message in other.came], short.asked) == ([*range(1, count + 1)], 3)
    end.link.close()
    other.link.close()


async def test_records_pieces_and_descriptors_come_as_they_were_sent(ends: tuple[End, End]) -> None:
    one, two = ends
    reader, writer = os.pipe()
    assert one.link.send(Kind.PEOPLE, {"v": 1}, [2, "ü"], pieces=[b"", b"abc"], descriptors=[writer]) == 1
    assert one.link.send(Kind.TOOK, 7) == 2
    os.close(writer)
    await two.until(2)
    first, second = two.came
    assert first[:4] == (Kind.PEOPLE, 1, [{"v": 1}, [2, "ü"]], [b"", b"abc"])
    assert second == (Kind.TOOK, 2, [7], [], [])
    os.write(first.descriptors[0], b"x")
    assert os.read(reader, 9) == b"x"
    assert not os.get_inheritable(first.descriptors[0])
    os.close(reader)


@pytest.mark.parametrize("size", [MESSAGE_MAX - 100, MESSAGE_MAX, MESSAGE_MAX * 20])
async def test_what_is_too_large_for_a_message_comes_all_the_same(ends: tuple[End, End], size: int) -> None:
    one, two = ends
    piece = os.urandom(size)
    before = opened()
    one.link.send(Kind.PEOPLE, "a", pieces=[piece, b"tail"], descriptors=[0, 1])
    await two.until(1)
    assert two.came[0].pieces == [piece, b"tail"]
    assert len(two.came[0].descriptors) == 2
    assert more_than(before).total() == 2


async def test_more_descriptors_than_a_message_holds_are_refused_and_nothing_is_sent(ends: tuple[End, End]) -> None:
    one, two = ends
    with pytest.raises(ValueError, match="33 descriptors"):
        one.link.send(Kind.PEOPLE, descriptors=[0] * 33)
    one.link.send(Kind.END)
    await two.until(1)
    assert two.came[0].number == 1


async def test_who_does_not_read_holds_the_sender_up_and_loses_nothing() -> None:
    one, two = pair()
    sender, piece = End(one), bytes(MESSAGE_MAX // 2)
    sent, stood = 0, False
    while not stood:
        sender.link.send(Kind.REST, sent, pieces=[piece])
        sent += 1
        try:
            await asyncio.wait_for(sender.link.room(), 0.001)
        except TimeoutError:
            stood = True
    assert sent * len(piece) > WAITING_MAX
    receiver = End(two)
    await asyncio.wait_for(sender.link.room(), 10)
    await receiver.until(sent)
    assert [message.records for message in receiver.came] == [[number] for number in range(sent)]
    sender.link.close()
    assert await receiver.fall() == "the other end is closed"


async def test_what_was_sent_before_an_end_is_read_although_something_was_left_unread(ends: tuple[End, End]) -> None:
    """The kernel tells a reset before what is still to be read."""
    one, two = ends
    one.link.send(Kind.WANT, 1)  # two never reads it
    two.link.send(Kind.TOOK, 1)
    two.link.send(Kind.TOOK, 2)
    two.link.close()
    one.link.read_all()
    assert [message.records for message in one.came] == [[1], [2]]
    assert one.fallen == ["the other end is closed"]
    with pytest.raises(LinkDown):
        one.link.send(Kind.END)


async def test_an_end_that_takes_nothing_more_is_read_to_its_end(ends: tuple[End, End]) -> None:
    one, two = ends
    two.link.send(Kind.TOOK, 1)
    two.link.close()
    with pytest.raises(LinkDown, match="takes nothing"):
        one.link.send(Kind.END)
    assert await one.fall() == "the other end is closed"
    assert [message.records for message in one.came] == [[1]]


def message(number: int = 1, wire: int = WIRE, body: bytes = b"[[]]", count: int = 0, length: int = -1) -> bytes:
    return HEAD.pack(wire, Kind.END, count, number, len(body) if length < 0 else length) + body


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (message(number=2), "message 2 came after 0"),
        (message(wire=9), "wire 9, not 1"),
        (b"\1\1", "without a head"),
        (message(body=b"[[]"), "without records"),
        (message(body=b"7"), "without records"),
        (message(body=b"[[4]]abc", length=5), "another length"),
        (message(count=1), "another length"),
        (HEAD.pack(WIRE, Kind.END | 0x80, 0, 1, 4), "without its file"),
        (bytes(MESSAGE_MAX + 1), "was cut"),
    ],
)
async def test_what_is_no_message_ends_the_link(data: bytes, why: str) -> None:
    with raw() as (sock, end):
        sock.send(data)
        assert why in await end.fall()
        assert not end.came


async def test_descriptors_for_which_there_is_no_place_end_the_link_and_none_stays_open() -> None:
    with raw() as (sock, end):
        before = opened()
        many = array.array("i", [0] * 40)
        sock.sendmsg([message()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, many)])
        assert "was cut" in await end.fall()
        assert opened() < before


async def test_a_system_that_is_out_of_descriptors_ends_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw() as (sock, end):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken = set(map(int, os.listdir("/proc/self/fd")))
        fifth = [number for number in range(len(taken) + 10) if number not in taken][5]
        sock.sendmsg([message()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 20))])
        resource.setrlimit(resource.RLIMIT_NOFILE, (fifth, hard))
        try:
            why = await end.fall()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert "was cut" in why


async def test_a_file_that_is_cut_ends_the_link() -> None:
    with raw() as (sock, end):
        file = module._in_file(b"[[9]]abc")
        data = HEAD.pack(WIRE, Kind.END | 0x80, 0, 1, 5)
        sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
        os.close(file)
        assert "another length" in await end.fall()
