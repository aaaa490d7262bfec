"""Exchange numbered messages, with file descriptors, between two processes of one host over a SEQPACKET socket.

**Invariant:** a message arrives whole, or the link is down. The sender keeps its own copies of sent descriptors.
"""

import asyncio
import contextlib
import enum
import errno
import os
import socket
import struct
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson

WIRE: Final = 1  # version of the head below
HEAD: Final = struct.Struct("<BBHII")  # wire, kind, records, number, bytes of JSON
MESSAGE_MAX: Final = 192 * 1024  # bytes: what a socket takes at once by Linux's defaults
DESCRIPTORS_MAX: Final = 32  # of one message
WAITING_MAX: Final = 4 * 1024 * 1024  # bytes that are queued while the other end does not read
FILE_MAX: Final = 1024 * 1024 * 1024  # bytes of a memory file that are accepted
AGAIN: Final = 0.005  # seconds until a call that lacked memory is repeated
_LATER: Final = (errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS)
_CUT: Final = int(socket.MSG_CTRUNC | socket.MSG_TRUNC)
_NO_SIGNAL: Final = int(socket.MSG_NOSIGNAL)
_CLOSED_BY_EXEC: Final = int(socket.MSG_CMSG_CLOEXEC)
_BESIDE_MAX: Final = socket.CMSG_SPACE(4 * DESCRIPTORS_MAX)
_RIGHTS: Final = (int(socket.SOL_SOCKET), int(socket.SCM_RIGHTS))
_HEAD_SIZE: Final = HEAD.size
_IN_FILE: Final = 0x80  # flag of the kind: the body is in a memory file


class Kind(enum.IntEnum):
    """Kind of a message. A number is never given to another kind; an unknown one is skipped."""

    SOCKETS = 1  # old to new: listening sockets by name
    READY = 2  # new to old: the versions of records that it reads
    FAILED = 3  # new to old: why it cannot serve
    BEGIN = 4  # old to new: the pace; the new one accepts from here on
    PEOPLE = 5  # old to new: a group of sessions
    TOOK = 6  # new to old: the message of this number is acknowledged
    NO = 16  # new to old: the message of this number is refused: its sessions stay
    WANT = 7  # new to old: a client asks for this session, client or chat
    NONE = 8  # old to new: it is not here either
    HTTP = 9  # old to new: a connection of aiohttp's
    NEWCOMER = 10  # old to new: a connection whose head was not read yet
    FACES = 11  # old to new: state beside sessions (college checks, Omegle clients)
    SAVED = 12  # old to new: a save that was under way
    LEFT = 13  # old to new: how many sessions are still there
    REST = 14  # old to new: what is known of absent users
    END = 15  # old to new: that was all
    PEER = 20  # supervisor to a process: a link to another one, by name
    DEAD = 21  # supervisor to a process: that other one is dead
    UP = 22  # to the supervisor: this process serves
    ROWS = 23  # between a worker and the hub (`engine.rooms.hub_messages`)
    RING = 90  # between them: shared memory for rows, its size, two bells; then, without these: from here on my rows are there
    LOAD = 24  # worker to hub: how many sessions and users it has, and the users themselves, if they are few
    COME = 25  # worker to worker: a session that meets another one there, and the match; or resumes there, and null
    MEET = 93  # worker to worker: several sessions that meet others there, with the client and the match of each
    WHO = 26  # worker to the others: is the session of this key yours?
    THERE = 28  # hub to another: the users elsewhere, in number and those named by LOAD; figures of the waiting rooms
    TAKEN = 96  # worker to worker: memory in which to acknowledge COME and MEET (`acknowledgement_ring`)
    MOVING = 94  # the answer for now: the session of this key is under way, and MINE follows once it has arrived
    READ = 29  # frontend to the others: send your figures
    FIGURES = 30  # the answer
    MINE = 27  # the answer: the key, and the process that has it: "" for this one; null: unknown
    RECORD = 40  # worker to frontend: how many records were lost, and those of ended chats
    SAVE = 41  # worker to frontend: a chat to save
    KEPT = 42  # frontend to worker: result of the save
    UNSAVE = 43  # worker to frontend: no client waits for that save any more
    REPORT = 44  # worker to frontend: a report
    BANS = 45  # frontend to worker: bans in force, all or the changes
    NOTICES = 46  # frontend to worker: pending notices, all or the changes
    SEEN = 47  # worker to frontend: a notice was read
    STATEMENT = 48  # frontend to worker: the newest privacy statement
    WEIGHED = 49  # frontend to worker: a report counts: identity and session of the reported user, and of the reporter
    SIGN = 50  # a process to the supervisor: it runs, with its report
    FELL = 51  # to the supervisor: the link to the process of this name and pid broke
    DEATHS = 52  # supervisor to the frontend: processes that died, why, how often
    LEAVE = 53  # supervisor to a worker: drain to the others, then end; how many sessions these have
    LEAVING = 54  # worker to hub: whether it accepts no session for a match
    AGE = 55  # worker to frontend, and it to the others: age answer of a user who wrote that they are under 18 (`engine.conduct.age_answers`)
    AGES = 74  # worker to a new frontend, and frontend to a new worker, or all: the same of many, with seconds left
    LOOK = 57  # worker to frontend: pictures of these sides of a chat were requested, by these nonces
    # worker to frontend: a side of a chat will upload a picture under this key; an empty key: the chat with pictures ended; an empty chat: the
    # picture with this key is not shown
    UPLOAD = 82
    PICTURED = 58  # frontend to worker: result for the picture of a nonce
    PICTURES = (
        59  # frontend to worker: mean seconds between two pictures of a chat, 0: none; whether pictures can be checked
    )
    PAUSED = 66  # worker to frontend, and it to the others: users whose video is off, rows of identity and seconds
    DETECTED = 81  # worker to frontend, and it to the others: rows of identity, class, chat, age (`engine.conduct.daily_detections`)
    MINOR = 56  # worker to frontend: a user was refused whom a moderator's decision excludes as a minor
    HOSTS = 65  # hub to workers and frontend: why NATS is away, or null; the other hosts (`server.fleet.cluster.membership.Host`)
    ARRIVED = 67  # frontend to a worker: a request of another host, with its connection
    TUNNEL = 68  # worker to worker: a client whose session is at another host, with its tunnel
    ALL = 69  # between frontend and hub: broadcast to all hosts, and from another one
    LIVE = 91  # frontend to the others: an operator's request (`server.realtime.worker.live_sessions`), by number; 0: no answer is wanted
    LIVED = 92  # the answer, by number
    EVACUATE = 72  # supervisor to all: this host ends, its sessions move to other hosts; in how many seconds
    PLACES = 73  # hub to workers and frontend, while its host ends: processes of other hosts that accept sessions, and how many these have
    HOST = 60  # supervisor to the next one: state that it continues with (`server.fleet.supervisor.supervisor_upgrade_state`)
    CHILD = 61  # the answer: a process was started, by name and pid, and its pidfd; with the frontend one end of a link to the previous one
    FOLLOW = 62  # supervisor to the frontend: hand over to the frontend of this pid, by that link
    NEXT = 63  # supervisor to a worker: drain to this one of the next generation, and the version of records
    METER = 80  # a process to the supervisor: the number of a thread, and descriptors of its CPU meter; its main thread's as it is forked
    STACKS = 95  # the same, as it is forked: the pipe that has its threads' stacks if it hangs or crashes (`server.fleet.supervisor.child_stacks`)
    STAY = 64  # supervisor to a worker: there is no next generation, continue


class Message(NamedTuple):
    """One received message. Its descriptors are the receiver's.

    On the socket: a head (HEAD), a JSON array (the lengths of the byte blobs, then the records), then the blobs. A body above MESSAGE_MAX is sent
    as a memory file (memfd), whose descriptor is the last of the message.
    """

    kind: int
    number: int
    records: list[Any]
    pieces: list[bytes]
    descriptors: list[int]


class LinkDown(Exception):
    """The link is down; the text says why."""


class _Damaged(Exception):
    """The received bytes are no message."""


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
        self._queue: deque[tuple[bytes, tuple[int, ...], int]] = deque()  # message, descriptors, its memory file or -1
        self._waiting = 0  # bytes of the queue
        self._writes = False  # the loop reports when the socket accepts more
        self._room = asyncio.Event()
        self._room.set()
        self._again: asyncio.TimerHandle | None = None
        self.broken: str | None = None  # why nothing can be sent, while messages may be unread
        self.down: str | None = None  # why it is down
        self.bytes = 0  # that were sent
        self._loop.add_reader(sock.fileno(), self._readable)

    # out

    def send(self, kind: Kind, *records: Any, pieces: Sequence[bytes] = (), descriptors: Sequence[int] = ()) -> int:
        """Send a message, or queue it; returns its number. The descriptors must stay open until it was received. Raises LinkDown, ValueError."""
        if self.down is not None or self.broken is not None:
            raise LinkDown(self.down or self.broken)
        size, body = body_of(records, pieces)
        beside, file, flag = tuple(descriptors), -1, 0
        if _HEAD_SIZE + len(body) > MESSAGE_MAX:
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
        """Bytes that the other end's socket has not accepted yet."""
        return self._waiting

    @property
    def full(self) -> bool:
        """Whether too much is queued: send nothing that can be left out."""
        return self._waiting > WAITING_MAX

    @property
    def is_up(self) -> bool:
        """Whether a message can be sent."""
        return self.down is None and self.broken is None

    async def room(self) -> None:
        """Wait until less than WAITING_MAX bytes are queued. Raises LinkDown."""
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
                    self._sock.sendmsg([data], [(*_RIGHTS, array("i", descriptors))], _NO_SIGNAL)
                else:
                    self._sock.send(data, _NO_SIGNAL)
            except (BlockingIOError, InterruptedError):
                self._wait_for_room()
                return
            except OSError as error:
                if error.errno in _LATER:  # not for lack of room in the socket, of which the loop tells
                    self._writable_no_more()
                    self._again = self._loop.call_later(AGAIN, self._flush)
                    return
                self.broken = f"it takes nothing ({error.strerror})"  # what the other end had sent is read before this is reported
                self._writable_no_more()
                self._queue_away()
                self._room.set()
                self._loop.call_soon(self.read_all)  # after an error the loop watches the socket no more
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
        """Read one message per turn of the loop, which reports a further one at once: to check costs as much as to read."""
        if self.down is None:
            self._read()

    def read_all(self) -> None:
        """Read all messages that have arrived, at once: the other end is dead."""
        while self.down is None and self._read():
            pass

    def _read(self) -> bool:
        """Read one message; False if there is no message, or no more will come."""
        try:
            size, beside, flags, _ = self._sock.recvmsg_into([self._buffer], _BESIDE_MAX, _CLOSED_BY_EXEC)
        except (BlockingIOError, InterruptedError):
            return False
        except ConnectionResetError:  # it ended with unread messages; those that it had sent are still to be read
            self.read_all()  # at once: after an error the loop watches a socket no more
            return False
        except OSError as error:
            self._over(f"it gives nothing ({error.strerror})")
            return False
        descriptors = descriptors_of(beside) if beside else []
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
        """Decode the message in the buffer. Raises _Damaged; a file's descriptor is closed and removed from the list."""
        if size < _HEAD_SIZE:
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
            body = memoryview(self._buffer)[_HEAD_SIZE:size]
        try:
            sizes, *records = orjson.loads(body[:length])
            whole = length + sum(sizes)
        except (ValueError, TypeError):
            raise _Damaged("a message without records") from None
        if type(sizes) is not list:
            raise _Damaged("a message with impossible lengths")
        for part in sizes:
            if type(part) is not int or part < 0:
                raise _Damaged("a message with impossible lengths")
        if len(records) != count or whole != len(body):
            raise _Damaged("a message of another length")
        pieces, at = [], length
        for part in sizes:
            pieces.append(bytes(body[at : at + part]) if part else b"")
            at += part
        return Message(kind & ~_IN_FILE, number, records, pieces, descriptors)

    # the end

    def close(self) -> None:
        """Close this end, without a call of `on_down`."""
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
    """Encode the part of a message behind its head; returns how many bytes of it are JSON, and all of it."""
    body = orjson.dumps([list(map(len, pieces)), *records])
    return len(body), b"".join((body, *pieces)) if pieces else body


def descriptors_of(beside: list[tuple[int, int, bytes]]) -> list[int]:
    """Return the descriptors that came beside a message, whole ones only."""
    found = array("i")
    for level, kind, data in beside:
        if (level, kind) == _RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return found.tolist()


def _in_file(body: bytes) -> int:
    """Return a memory file with these bytes. Raises OSError."""
    file = os.memfd_create("serendip", os.MFD_CLOEXEC)
    try:
        os.set_blocking(file, False)  # a memory file never blocks; this tells detectors of blocking calls
        while body:
            body = body[os.write(file, body) :]
    except BaseException:
        os.close(file)
        raise
    return file


def _of_file(file: int) -> bytes:
    """Return the bytes of a memory file, which is closed. Raises _Damaged."""
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
