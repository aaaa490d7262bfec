"""Provide `Reactor`: accept, read, relay and send for all connections of a worker, on one epoll set that the asyncio loop watches.

`drain` returns one batch of events that need a decision, in order; after the engine has handled these, `settle` continues the connections and
sends; `tick` applies time-outs once a second. A call for a connection that has ended does nothing and causes no event.

**Invariant:** who chats, and is not refused all the time, is read before all others: a bounded `drain` leaves some of these to the next one, and
takes them in turn.
"""
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from cython cimport no_gc_clear

from ext.accept.address_limits cimport Addresses
from ext.reactor.turn_end cimport gather
from ext.net.byte_buffers cimport chunks_clear
from ext.net.rate_limit_carry_over cimport LimitsOwner, copy_limits, move_limits
from ext.net.connection_table cimport (
    B_BYTES, B_FRAMES, B_MESSAGES, B_REFUSALS, B_SIGNALS, BLOCKED, CONFIRM, FRESH, GATED, VIRTUAL, connection_named, connection_open, described,
    name, set_clock, tables_free, time_messages,
)
from ext.net.counters import NAMES as _NAMES

from ext.net.counters cimport *
from ext.reactor.connection_handover cimport ConnectionTransfers
from ext.net.connection_end cimport reclaim, dismiss, free
from ext.reactor.new_connections cimport accept, bound_descriptors, leave_listener, watch_listener
from ext.net.frames cimport TEXT
from ext.accept.handshake cimport Judge
from ext.reactor.socket_input cimport prefetch_reads, open_gates, serve, stage_clear, talks_calmly
from ext.net.output cimport frame
from ext.base.protocol cimport (
    BYTES_BURST, BYTES_RATE, CODE_NO_CHAT, CODE_SLOW, CODE_TOO_FAST, FRAME_BURST, FRAME_MAX, FRAME_RATE, MESSAGE_BURST, MESSAGE_RATE, PING_AFTER,
    PONG_WITHIN, REFUSAL_BURST, REFUSAL_RATE, SIDES, SIGNAL_BURST, SIGNAL_RATE, WATCHER,
)
from ext.net.relay cimport SIGNAL_SLOW, SIGNAL_TAKEN, relay_message, relay_signal, relay_typing, replay, talks
from ext.net.chat_ring cimport Ring, ring_attach, ring_detach, ring_refuse
from ext.net.tap cimport Tap
from ext.base.system cimport EPOLL_CLOEXEC, close, epoll_create1, epoll_event, epoll_wait
from ext.reactor.timeouts cimport expire
from ext.net.structs cimport conn_t
from ext.reactor.virtual_connections cimport hold, inject, virtual_new
from ext.net.wheel cimport wheel_init

cdef enum:
    BATCH = 512               # ready sockets that are handled before the engine runs


@no_gc_clear  # ending its connections needs the table of addresses
cdef class Reactor(ConnectionTransfers):
    """All sockets of one worker.

    `limits`: whether rate limits are enforced; `messages`, `signals`, `frames`, `bytes_in`, `refusals`: (burst, rate per second) of a
    connection's buckets; `message_max`: payload bytes of a message; `connections_max`: open sockets, beyond which newcomers receive 503;
    `idle`: seconds of silence until a ping; `patience`: seconds for its answer; `wall`: Unix time minus the clock of `now`; `descriptors`:
    the process's limit, of which newcomers do not get the last ones, 0: no limit.
    """

    def __cinit__(
        self, *, judge: Judge, addresses: Addresses, now: float, wall: float = 0.0, limits: bool = True,
        message_max: int = FRAME_MAX, connections_max: int = 1_000_000, idle: int = PING_AFTER, patience: int = PONG_WITHIN, descriptors: int = 0,
        messages=(MESSAGE_BURST, MESSAGE_RATE), signals=(SIGNAL_BURST, SIGNAL_RATE), frames=(FRAME_BURST, FRAME_RATE),
        bytes_in=(BYTES_BURST, BYTES_RATE), refusals=(REFUSAL_BURST, REFUSAL_RATE),
    ):
        memset(&self.io, 0, sizeof(self.io))
        self.io.epoll = self.io.listener = self.io.spare = -1  # before anything may fail: `__dealloc__` closes what is not -1
        if not 125 <= message_max <= 1 << 30 or connections_max < 1 or idle < 1 or patience < 1 or descriptors < 0:
            raise ValueError("message_max is 125 bytes to 1 GiB; connections_max, idle and patience are 1 or more, descriptors 0 or more")
        self.io.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.io.epoll < 0:
            raise OSError(errno, "epoll_create1")
        self.judge = judge
        self.addresses = addresses
        self.events = []
        self.io.message_max = message_max
        self.io.open_max = connections_max
        bound_descriptors(&self.io, min(descriptors, 0x7fffffff))
        self.io.idle = idle
        self.io.patience = patience
        self.io.limits = limits
        self.io.start = self.io.now = now
        self.io.wall = wall
        self.io.events.most = <uint32_t>-1
        for bucket, (burst, rate) in (
            (B_MESSAGES, messages), (B_FRAMES, frames), (B_BYTES, bytes_in), (B_REFUSALS, refusals), (B_SIGNALS, signals),
        ):
            self.io.bucket[<int>bucket].burst = burst
            self.io.bucket[<int>bucket].rate = rate
        wheel_init(&self.io.wheel, 0)

    def change_limits(self, messages, signals):  # typed in reactor.pyi: a tuple[float, float] here would become a struct of C
        """Set (burst, rate per second) of every connection's buckets; tokens above a smaller burst are dropped at the next use."""
        for bucket, (burst, rate) in ((B_MESSAGES, messages), (B_SIGNALS, signals)):
            self.io.bucket[<int>bucket].burst = burst
            self.io.bucket[<int>bucket].rate = rate

    def __dealloc__(self):
        cdef uint32_t i
        for i in range(self.io.slot_count):
            if self.io.slots[i] != NULL:
                free(&self.io, self.io.slots[i])
        reclaim(&self.io, self.addresses)
        tables_free(&self.io)
        for fd in (self.io.spare, self.io.epoll):
            if fd >= 0:
                close(fd)

    @property
    def fd(self) -> int:
        """The epoll set's descriptor, readable when `drain` has work."""
        return self.io.epoll

    @property
    def online(self) -> int:
        """The number of open connections of users, virtual ones included."""
        return self.io.open

    @property
    def connections(self) -> int:
        """The number of sockets: open ones, those whose head is being read, and closing ones."""
        return self.io.slot_count - self.io.freed

    @property
    def newcomers(self) -> int:
        """The number of newcomers: their head is incomplete, or they were refused and are still open."""
        return self.io.coming

    @property
    def gates(self) -> int:
        """The number of shut gates: `settle` opens them."""
        return self.io.gated.count - self.io.ungated

    def counters(self) -> dict[str, int]:
        """Return totals since the start, by the names of ext.net.counters."""
        return {name: self.io.count[i] for i, name in enumerate(_NAMES)}

    def times(self) -> dict[str, tuple[list[int], float]]:
        """Return histograms over ext.net.counters.TIME_BOUNDS as (counts, sum in seconds).

        `relayed`: from a readable socket until the message was sent, per message; `turns`: from ready sockets to opened gates.
        """
        return {"relayed": times_read(&self.io.relayed), "turns": times_read(&self.io.turns)}

    def describe(self, number: int) -> str:
        """Describe a connection in one line for debugging: state, flags, buffers, tokens and ring, no address, no text."""
        cdef conn_t *conn = connection_named(&self.io, number)
        return described(&self.io, conn) if conn != NULL else f"connection {number}: gone"

    def screen(self, tap: Tap | None) -> None:
        """Copy each relayed line to this tap from now on; None: to none."""
        self.tap = tap
        self.io.tap = tap.tap if tap is not None else NULL

    def asked(self, chat: int, question: bytes) -> None:
        """Write a question to the tap as line 0 of its chat, from the spy, before the chat begins.

        `question`: spelled as the text of `Reactor.say`.
        """
        if self.tap is not None:
            self.tap.put(chat, WATCHER, 0, self.io.wall + self.io.now, question)

    # newcomers

    def listen(self, fd: int) -> None:
        """Accept newcomers from the listening, non-blocking socket `fd`, which stays its owner's."""
        self.io.listener = fd
        if not watch_listener(&self.io):
            raise OSError(errno, "epoll_ctl")

    def put_off_newcomers(self) -> None:
        """Ask newcomers to come back later from now on; open connections continue."""
        self.io.draining = True

    def refuse_newcomers(self) -> None:
        """Stop accepting; open connections continue."""
        leave_listener(&self.io)
        self.io.listener = -1

    # turns

    def drain(self, now: float, double seconds = 0.0) -> list[tuple[int, int, object, object]]:
        """Handle ready sockets and return the events that need a decision. `now`: monotonic seconds; `seconds`: for which those outside calm chats
        are handled; what is left of these is ready still. 0: all are handled.
        """
        cdef epoll_event ready[BATCH]
        cdef int n
        set_clock(&self.io, now)
        n = epoll_wait(self.io.epoll, ready, BATCH, 0)
        self.io.began = clock_now()
        self.io.count[C_TURNS] += 1
        self.io.count[C_READY] += max(n, 0)
        self.serve_ready(ready, n, <uint64_t>(seconds * 1e9))
        return self.collect()

    cdef void serve_ready(self, epoll_event *ready, int n, uint64_t most) noexcept:
        """Serve ready sockets: those of calm chats, then the others in turn for `most` nanoseconds, whatever time chats need. 0: all, in order."""
        cdef int i, at = 0, left = 0
        cdef uint64_t end
        for i in range(n):
            prefetch_reads(ready, i, n)
            if most and (ready[i].data.ptr == NULL or not talks_calmly(&self.io, <conn_t *>ready[i].data.ptr)):
                left += 1
                continue
            self.serve_next(&ready[i])
            ready[i].events = 0
        if left == 0:
            return
        end = clock_now() + most
        for i in range(n):
            at = (<int>self.io.first + i) % n
            if ready[at].events:
                self.serve_next(&ready[at])
                left -= 1
                if clock_now() >= end:
                    break
        self.io.first = <uint32_t>at + 1 if left else 0

    cdef void serve_next(self, epoll_event *ready) noexcept:
        """Serve one ready socket."""
        if ready.data.ptr == NULL:
            accept(&self.io, self.judge, self.addresses)
            return
        serve(&self.io, <conn_t *>ready.data.ptr, ready.events)
        if self.io.count[C_MESSAGES] != self.io.timed:
            time_messages(&self.io, clock_now())

    def settle(self, now: float, uint32_t most = 0) -> list[tuple[int, int, object, object]]:
        """Open the first `most` gates (0: all), parse what is behind them, send what waits; return the events that need a decision."""
        cdef uint64_t stop
        cdef list events
        set_clock(&self.io, now)
        if self.io.began == 0:
            self.io.began = clock_now()  # the engine acted on its own: no socket was ready
        open_gates(&self.io, most if most else self.io.gated.count)
        events = self.collect()
        stop = clock_now()
        if self.io.count[C_MESSAGES] != self.io.timed:
            time_messages(&self.io, stop)
        if not events:
            times_add(&self.io.turns, stop - self.io.began, 1)
            self.io.began = 0
        return events

    def tick(self, now: float) -> list[tuple[int, int, object, object]]:
        """Handle time-outs, pings and ended pauses, once a second; return the events that need a decision."""
        set_clock(&self.io, now)
        self.io.began = clock_now()
        if self.io.listener >= 0 and not self.io.listening:
            watch_listener(&self.io)
        self.addresses.forget(now)
        expire(&self.io)
        stage_clear()
        chunks_clear()
        return self.collect()

    cdef list collect(self):
        cdef list events = self.events  # events of a collection that raised are still there
        gather(&self.io, self.judge, self.addresses, events)
        if not events:
            return []
        self.events = []
        self.io.count[C_BATCHES] += 1
        return events

    # commands of the engine

    def adopt(self, number: int, owner: object, confirm: bool = False) -> None:
        """Set the owner that events of this connection carry; with `confirm` the next text frame causes the event CONFIRMED.

        If the owner is a LimitsOwner, its tokens move here from its previous connection.
        """
        cdef conn_t *conn = connection_open(&self.io, number)
        cdef PyObject *before
        if conn == NULL:
            return
        if isinstance(owner, LimitsOwner):
            move_limits(&self.io, <LimitsOwner>owner, conn)
        before = conn.owner
        Py_INCREF(owner)
        conn.owner = <PyObject *>owner
        if confirm:
            conn.flags |= CONFIRM
        if before != NULL:
            Py_DECREF(<object>before)

    def keep_limits(self, number: int, owner: LimitsOwner) -> None:
        """Give an owner without a connection the tokens that remain on this one, for its first connection; ignored if it has some."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            copy_limits(&self.io, owner, conn)

    def send(self, number: int, payload: bytes) -> None:
        """Queue a text frame."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            conn.flags &= ~FRESH
            frame(&self.io, conn, TEXT, payload, len(payload))

    def link(self, number: int, ring: Ring, side: int) -> None:
        """Link a connection to a chat's ring: as side 0 or 1 it is a partner, as side 2 the spy."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if not 0 <= side < SIDES:
            raise ValueError("a side is 0, 1 or 2")
        if conn != NULL:
            ring_attach(ring.ring, side, conn)

    def unlink(self, number: int) -> None:
        """Unlink a connection from its ring."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            ring_detach(conn)

    def say(self, number: int, text: bytes, id: bytes | None) -> None:
        """Relay a message that was not in canonical spelling. `text`, `id`: JSON strings without their quotes; the id has at most 384 bytes."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and talks(conn):
            relay_message(&self.io, conn, text, len(text), <const uint8_t *><const char *>id if id else NULL, len(id) if id else 0)

    def typing(self, number: int, typing: bool) -> None:
        """Relay a typing sign that was not in canonical spelling."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and talks(conn):
            relay_typing(&self.io, conn, typing)

    def signal(self, number: int, payload: bytes) -> str:
        """Relay a checked `signal` frame; return "" or the code of the error: `no_chat`, `slow` (away, or full), `too_fast`."""
        cdef conn_t *conn = connection_open(&self.io, number)
        cdef const char *code = CODE_NO_CHAT
        cdef int verdict
        if conn != NULL and talks(conn):
            verdict = relay_signal(&self.io, conn, payload, len(payload))
            if verdict == SIGNAL_TAKEN:
                return ""
            code = CODE_SLOW if verdict == SIGNAL_SLOW else CODE_TOO_FAST
        return code.decode("ascii")

    def refuse(self, number: int) -> None:
        """Count a refused `message` frame of the current chat."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and talks(conn):
            ring_refuse(conn.ring, conn.side)

    def replay(self, number: int, ring: Ring, side: int, after: int) -> None:
        """Queue the other sides' messages after number `after`."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            replay(&self.io, conn, ring.ring, side, after)

    def close(self, number: int, code: int, payload: bytes | None) -> None:
        """Close a connection with an optional last text frame and a close code. No LOST follows."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn == NULL:
            return
        if payload is not None:
            frame(&self.io, conn, TEXT, payload, len(payload))
        dismiss(&self.io, conn, code)

    # virtual connections

    def open_virtual(self, address: str) -> int:
        """Open a connection without a socket, for an adapter of another protocol; return its number.

        It takes part like any other. Its output comes as `(FRAMES, conn, owner, payloads)`: text frames, and the close code as a number.
        Its input is injected. Raises MemoryError.
        """
        cdef conn_t *conn = virtual_new(&self.io, address)
        if conn == NULL:
            raise MemoryError("no memory for another connection")
        return name(conn)

    def inject(self, number: int, payload: bytes) -> bool:
        """Handle a text frame of a virtual connection's client; False if the connection is gone or its gate is shut."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn == NULL or not conn.flags & VIRTUAL or conn.flags & GATED:
            return False
        inject(&self.io, conn, payload)
        return True

    def hold(self, number: int, on: bool) -> None:
        """Block (`on`) or unblock a virtual connection's output, as a full socket blocks others.

        Blocked for 20 s without a break, the connection is lost (protocol.md, rule 4).
        """
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and conn.flags & VIRTUAL and on != bool(conn.flags & BLOCKED):
            hold(&self.io, conn, on)

    def drop(self, number: int) -> None:
        """Remove a virtual connection without an event; the caller tells the engine."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and conn.flags & VIRTUAL:
            free(&self.io, conn)
