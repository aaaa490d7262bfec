"""The link of two processes of one host: SEQPACKET, messages numbered, descriptors beside them. Rule: a message is whole or the link is down.

A message: a head (HEAD), then a JSON array: the sizes of the pieces of bytes, then the records; behind it the pieces. What is larger
than MESSAGE_MAX comes in a file in memory, whose descriptor is the message's last. Who sends keeps their descriptors.
"""

import array
import asyncio
import contextlib
import enum
import errno
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson

WIRE: Final = 1  # of the head below; another is another link
HEAD: Final = struct.Struct("<BBHII")  # wire, kind, records, number, bytes of JSON
MESSAGE_MAX: Final = 192 * 1024  # bytes: what a socket takes at once by Linux's defaults
DESCRIPTORS_MAX: Final = 32  # of one message
WAITING_MAX: Final = 4 * 1024 * 1024  # bytes that wait here while the other end does not read
FILE_MAX: Final = 1024 * 1024 * 1024  # bytes of a file in memory that are believed
AGAIN: Final = 0.005  # seconds until the system is asked again for what it did not have
_LATER: Final = (errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)
_CUT: Final = int(socket.MSG_CTRUNC | socket.MSG_TRUNC)
_IN_FILE: Final = 0x80  # beside the kind: the body is in a file in memory


class Kind(enum.IntEnum):
    """What a message is about. A number is never given to another kind; an unknown one is skipped."""

    SOCKETS = 1  # old to new: listening sockets by name
    READY = 2  # new to old: the versions of records that it reads
    FAILED = 3  # new to old: why it cannot serve
    BEGIN = 4  # old to new: the pace; the new one accepts from here on
    PEOPLE = 5  # old to new: a parcel
    TOOK = 6  # new to old: the message of this number is mine
    NO = 16  # new to old: the message of this number cannot be read: its people stay
    WANT = 7  # new to old: somebody asks for this here
    NONE = 8  # old to new: it is not here either
    HTTP = 9  # old to new: a connection of aiohttp's
    NEWCOMER = 10  # old to new: a connection whose head was not read yet
    FACES = 11  # old to new: what is kept beside sessions (college checks, programs of Omegle's protocol)
    SAVED = 12  # old to new: a save that was under way
    LEFT = 13  # old to new: how many people are still there
    REST = 14  # old to new: what is known of people who are not here
    END = 15  # old to new: that was all
    PEER = 20  # supervisor to a process: a link to another one, by name
    DEAD = 21  # supervisor to a process: that other one is dead
    UP = 22  # to the supervisor: this process serves
    ROWS = 23  # between a worker and the hub (`engine.rooms.hub_messages`)
    LOAD = 24  # worker to hub: how many people it has
    COME = 25  # worker to worker: a parcel of somebody who meets somebody there, and the meeting; or resumes there, and none
    WHO = 26  # worker to the others: is the session of this key yours?
    THERE = 28  # hub to the others: who is there in all, and how it looks in the waiting rooms
    READ = 29  # office to the others: your figures
    FIGURES = 30  # the answer
    MINE = 27  # the answer: the key, and where it is: "" for here, or to whom it went; null for nowhere that is known
    RECORD = 40  # worker to office: how many records were lost, and those of chats that ended
    SAVE = 41  # worker to office: a chat to be kept
    KEPT = 42  # office to worker: what became of that
    UNSAVE = 43  # worker to office: nobody waits for that any more
    REPORT = 44  # worker to office: a report that left its chat
    BANS = 45  # office to worker: bans in force, all or what changed
    NOTICES = 46  # office to worker: what is to be read, all or what changed
    SEEN = 47  # worker to office: a notice was read
    STATEMENT = 48  # office to worker: the newest statement of privacy
    WEIGHED = 49  # office to worker: a report counts: identity and session of who was reported, who did
    SIGN = 50  # a process to the supervisor: it runs, and how it stands
    FELL = 51  # to the supervisor: the link to the process of this name and pid broke
    DEATHS = 52  # supervisor to the office: who died, why, how often
    LEAVE = 53  # supervisor to a worker: everybody goes to the others, then it ends; how many people these have
    LEAVING = 54  # worker to hub: whether nobody is to come there to meet somebody
    AGE = 55  # worker to office, and it to the others: how somebody stands who wrote that they are under 18 (`engine.conduct.age_answers`)
    AGES = 74  # worker to a new office, and office to a new worker, or all: the same of many, with seconds left: what was known before
    LOOK = 57  # worker to office: these sides of a chat are asked for pictures, by these nonces
    PICTURED = 58  # office to worker: what is known of the picture of a nonce
    PICTURES = 59  # office to worker: seconds between two looks at a chat, on average; 0: nobody looks
    PAUSED = 66  # worker to office, and it to the others: whose video is off, rows of identity and seconds
    MINOR = 56  # worker to office: somebody was turned away whom a person's decision keeps out as a minor
    HOSTS = 65  # hub to who has people: why NATS is away, or null; the other hosts of the cell (`server.fleet.cluster.membership.Host`)
    ARRIVED = 67  # office to a worker: a request of another host, and the connection that it came by
    TUNNEL = 68  # worker to worker: a client whose session is at another host, and what is known of them here
    ALL = 69  # between office and hub: what all hosts are to be told, and what another one said
    EVACUATE = 72  # supervisor to all: this host ends, its people go to other hosts; in how many seconds
    PLACES = 73  # hub to who has people, while its host ends: the processes of other hosts that take people, by name, and how many these have
    HOST = (
        60  # supervisor to the one that follows it: what it goes on with (`server.fleet.processes.succession.Estate`)
    )
    CHILD = 61  # the answer: a process was started, by name and pid, and its pidfd; with the office one end of a way to the one before
    FOLLOW = 62  # supervisor to the office: all goes to the office of this pid, by that way
    NEXT = (
        63  # supervisor to a worker: everybody goes to this one of the next generation, and in which version of records
    )
    METER = (
        80  # a process to the supervisor, as it is forked: descriptors by which it is seen how the kernel schedules it
    )
    STAY = 64  # supervisor to a worker: there is no next generation, it goes on


class Message(NamedTuple):
    """One message that came. Its descriptors are the receiver's."""

    kind: int
    number: int
    records: list[Any]
    pieces: list[bytes]
    descriptors: list[int]


class LinkDown(Exception):
    """The link is not there any more; the text says why."""


class _Damaged(Exception):
    """What came is no message."""


class Link:
    """One end. `on_message` is called with each message; `on_down` once, after the last, with the reason. Call it in the loop."""

    def __init__(
        self, sock: socket.socket, on_message: Callable[[Message], None], on_down: Callable[[str], None]
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._on_message = on_message
        self._on_down = on_down
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(MESSAGE_MAX)
        self._sent = 0
        self._seen = 0
        self._queue: deque[tuple[bytes, tuple[int, ...], int]] = deque()  # message, descriptors, a file of ours or -1
        self._waiting = 0  # bytes of the queue
        self._writes = False  # the loop tells when the socket takes more
        self._room = asyncio.Event()
        self._room.set()
        self._again: asyncio.TimerHandle | None = None
        self.broken: str | None = None  # why nothing can be sent, while there may be something to be read
        self.down: str | None = None  # why it is down
        self.bytes = 0  # that were sent
        self._loop.add_reader(sock.fileno(), self._readable)

    # out

    def send(self, kind: Kind, *records: Any, pieces: Sequence[bytes] = (), descriptors: Sequence[int] = ()) -> int:
        """Send a message, or let it wait; its number. The descriptors must stay open until it was received. Raises LinkDown, ValueError."""
        if self.down is not None or self.broken is not None:
            raise LinkDown(self.down or self.broken)
        size, body = body_of(records, pieces)
        beside, file, flag = tuple(descriptors), -1, 0
        if HEAD.size + len(body) > MESSAGE_MAX:
            file = _in_file(body)
            beside, body, flag = (*beside, file), b"", _IN_FILE
        if len(beside) > DESCRIPTORS_MAX:
            if file >= 0:
                os.close(file)
            raise ValueError(f"{len(beside)} descriptors in one message")
        self._sent += 1
        data = HEAD.pack(WIRE, kind | flag, len(records), self._sent, size) + body
        self._queue.append((data, beside, file))
        self._waiting += len(data)
        if len(self._queue) == 1:
            self._flush()
        if self._waiting > WAITING_MAX:
            self._room.clear()
        if self.down is not None or self.broken is not None:
            raise LinkDown(self.down or self.broken)
        return self._sent

    @property
    def waiting(self) -> int:
        """Bytes that the other end's socket has not taken yet."""
        return self._waiting

    @property
    def full(self) -> bool:
        """Whether more waits here than should: who can do without sends nothing."""
        return self._waiting > WAITING_MAX

    @property
    def is_up(self) -> bool:
        """Whether something can be sent."""
        return self.down is None and self.broken is None

    async def room(self) -> None:
        """Wait until less than WAITING_MAX bytes wait here. Raises LinkDown."""
        await self._room.wait()
        self._must_be_up()

    def _must_be_up(self) -> None:
        if not self.is_up:
            raise LinkDown(self.down or self.broken)

    def _flush(self) -> None:
        self._again = None
        while self._queue:
            data, descriptors, file = self._queue[0]
            try:
                if descriptors:
                    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
                    self._sock.sendmsg([data], [rights], socket.MSG_NOSIGNAL)
                else:
                    self._sock.send(data, socket.MSG_NOSIGNAL)
            except (BlockingIOError, InterruptedError):
                self._wait_for_room()
                return
            except OSError as error:
                if error.errno in _LATER:  # it is not about room in the socket, so that nothing would tell
                    self._again = self._loop.call_later(AGAIN, self._flush)
                    return
                self.broken = (
                    f"it takes nothing ({error.strerror})"  # what the other end had sent is read before this is told
                )
                self._writable_no_more()
                self._queue_away()
                self._room.set()
                self._loop.call_soon(self.read_all)  # the error was told here, and the loop watches the socket no more
                return
            self._queue.popleft()
            self._waiting -= len(data)
            self.bytes += len(data)
            if file >= 0:
                os.close(file)
        self._writable_no_more()
        self._room.set()

    def _wait_for_room(self) -> None:
        if not self._writes:
            self._writes = True
            self._loop.add_writer(self._sock.fileno(), self._flush)
        if self._waiting <= WAITING_MAX:
            self._room.set()

    def _writable_no_more(self) -> None:
        if self._writes:
            self._writes = False
            self._loop.remove_writer(self._sock.fileno())

    def _queue_away(self) -> None:
        for _, _, file in self._queue:
            if file >= 0:
                os.close(file)
        self._queue.clear()
        self._waiting = 0

    # in

    def _readable(self) -> None:
        """One message a turn of the loop, which tells at once where there is another: to ask costs as much as to read."""
        if self.down is None:
            self._read()

    def read_all(self) -> None:
        """Take what came until there is nothing more, at once: the other end is dead."""
        while self.down is None and self._read():
            pass

    def _read(self) -> bool:
        """One message; False where none is there, or no more will come."""
        try:
            size, beside, flags, _ = self._sock.recvmsg_into(
                [self._buffer], socket.CMSG_SPACE(4 * DESCRIPTORS_MAX), socket.MSG_CMSG_CLOEXEC
            )
        except (BlockingIOError, InterruptedError):
            return False
        except ConnectionResetError:  # it ended with something unread; what it had sent before is still to be read
            self.read_all()  # now: after an error the loop watches a socket no more
            return False
        except OSError as error:
            self._over(f"it gives nothing ({error.strerror})")
            return False
        descriptors = descriptors_of(beside)
        if not size:
            self._over("the other end is closed")
            return False
        try:
            if flags & _CUT:
                raise _Damaged("a message was cut")
            message = self._message(size, descriptors)
        except _Damaged as damaged:
            for descriptor in descriptors:
                os.close(descriptor)
            self._over(str(damaged))
            return False
        self._on_message(message)
        return True

    def _message(self, size: int, descriptors: list[int]) -> Message:
        """What lies in the buffer. Raises _Damaged; a file's descriptor is closed and taken from the list."""
        if size < HEAD.size:
            raise _Damaged("a message without a head")
        wire, kind, count, number, length = HEAD.unpack_from(self._buffer)
        if wire != WIRE:
            raise _Damaged(f"wire {wire}, not {WIRE}")
        if number != self._seen + 1:
            raise _Damaged(f"message {number} came after {self._seen}")
        self._seen = number
        if kind & _IN_FILE:
            if not descriptors:
                raise _Damaged("a message without its file")
            body = memoryview(_of_file(descriptors.pop()))
        else:
            body = memoryview(self._buffer)[HEAD.size : size]
        try:
            sizes, *records = orjson.loads(body[:length])
            whole = length + sum(sizes)
        except (ValueError, TypeError):
            raise _Damaged("a message without records") from None
        if len(records) != count or whole != len(body):
            raise _Damaged("a message of another length")
        pieces, at = [], length
        for part in sizes:
            pieces.append(bytes(body[at : at + part]) if part else b"")
            at += part
        return Message(kind & ~_IN_FILE, number, records, pieces, descriptors)

    # the end

    def close(self) -> None:
        """Close this end; nobody is told here."""
        self._end("it was closed here")

    def _over(self, why: str) -> None:
        if self.down is None:
            self._end(why)
            self._on_down(why)

    def _end(self, why: str) -> None:
        if self.down is not None:
            return
        self.down = why
        self._loop.remove_reader(self._sock.fileno())
        self._writable_no_more()
        if self._again is not None:
            self._again.cancel()
        self._queue_away()
        self._room.set()
        self._sock.close()


def body_of(records: Sequence[Any], pieces: Sequence[bytes] = ()) -> tuple[int, bytes]:
    """What stands behind the head of a message: how many bytes of it are JSON, and all of it."""
    body = orjson.dumps([list(map(len, pieces)), *records])
    return len(body), b"".join((body, *pieces)) if pieces else body


def descriptors_of(beside: list[tuple[int, int, bytes]]) -> list[int]:
    """What came beside a message, whole ones only."""
    found = array.array("i")
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return found.tolist()


def _in_file(body: bytes) -> int:
    """A file in memory with these bytes. Raises OSError."""
    file = os.memfd_create("serendip", os.MFD_CLOEXEC)
    try:
        os.set_blocking(file, False)  # memory waits for nothing; it says so to whoever looks for what blocks
        while body:
            body = body[os.write(file, body) :]
    except BaseException:
        os.close(file)
        raise
    return file


def _of_file(file: int) -> bytes:
    """What stands in a file in memory, which is closed. Raises _Damaged."""
    try:
        size = os.fstat(file).st_size
        if size > FILE_MAX:
            raise _Damaged("a message of a gigabyte")
        body = bytearray()
        while len(body) < size:
            part = os.pread(file, size - len(body), len(body))
            if not part:
                raise _Damaged("a message whose file is cut")
            body += part
        return bytes(body)
    except OSError as error:
        raise _Damaged(f"a file that cannot be read ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            os.close(file)
