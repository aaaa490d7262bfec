"""The reactor: accepts, judges heads, reads, parses, relays and sends for all connections of a worker, on one epoll set.

The event loop watches the set's descriptor and calls `drain`; what needs a decision comes back as one batch of events, in the order
in which it happened. A text frame that needs one shuts its connection's gate: nothing behind it is parsed until `settle`, which
is called when the batch's effects were applied. A connection is named by a number that is never used twice (slot and serial).
"""
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EAGAIN, EINTR, EMFILE, ENFILE, errno
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memmove, memset

from ext.addresses cimport Addresses, key_of
from ext.conn cimport (
    B_BYTES, B_FRAMES, B_REFUSALS, BLOCKED, BROKEN, BUCKETS, CLOSING, CONFIRM, COUNTED, DEAD, GATED, HEAD, LINGER, OPEN, PAUSED, PINGED,
    DIRTY, TAKE_SECONDS, VIRTUAL, aligned, conn_free, conn_t, drop_output, fit, flush, flush_dirty, frame, pending, raw, take, watch,
)
from ext.counters import NAMES as _NAMES

from ext.counters cimport *
from ext.frames cimport BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_code_allowed, frame_t, parse_header, unmask
from ext.head cimport HEAD_MAX, HEAD_SECONDS, Judge, Verdict, head_end
from ext.head import answer as http_answer
from ext.relay cimport relay_message, relay_signal, relay_typing, replay
from ext.ring cimport Ring, ring_keep, ring_refuse, ring_release, ring_t
from ext.scanner cimport ASK_PONG, MESSAGE, TYPING_OFF, TYPING_ON, line_t, scan
from ext.utf8 cimport valid
from ext.wheel cimport timer_t, wheel_arm, wheel_disarm, wheel_due, wheel_init

cdef extern from *:
    void prefetch "__builtin_prefetch" (const void *address) noexcept nogil

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "<sys/socket.h>" nogil:
    struct sockaddr:
        pass
    struct sockaddr_storage:
        uint16_t ss_family
    ctypedef uint32_t socklen_t
    int accept4(int fd, sockaddr *address, socklen_t *size, int flags)
    ssize_t recv(int fd, void *data, size_t size, int flags)
    int shutdown(int fd, int how)
    int SOCK_NONBLOCK, SOCK_CLOEXEC, SHUT_WR, AF_INET, AF_INET6

cdef extern from "<netinet/in.h>" nogil:
    struct in_addr:
        pass
    struct in6_addr:
        pass
    struct sockaddr_in:
        in_addr sin_addr
    struct sockaddr_in6:
        in6_addr sin6_addr

cdef extern from "<arpa/inet.h>" nogil:
    const char *inet_ntop(int family, const void *address, char *text, socklen_t size)

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int verb, int fd, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int room, int timeout)
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL
    uint32_t EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR

cdef enum:
    BATCH = 512               # ready sockets looked at before the engine is asked
    READ = 64 * 1024          # bytes of one read
    STAGE = 256 * 1024        # the shared receive buffer: a partial frame, and a read behind it
    ACCEPTS = 64              # of one batch, so that a storm of newcomers does not starve those who talk
    OWN_BYTES = 256 * 1024    # output that a client leaves untaken before it is no longer read
    LINGER_SECONDS = 3        # for the other side to see the close before the socket goes

# kinds of events
OPENED, FRAME, LOST, CONFIRMED, HTTP, MAIL = range(6)
# how a connection was lost (protocol.md, rule 4)
LEFT, DROPPED, BROKE, FLOODED = range(4)
cdef enum:
    K_OPENED = 0
    K_FRAME = 1
    K_LOST = 2
    K_CONFIRMED = 3
    K_HTTP = 4
    K_MAIL = 5
    H_LEFT = 0
    H_DROPPED = 1
    H_BROKE = 2
    H_FLOODED = 3

FLOOD_SECONDS = 10  # `retry_after` of a flood: long enough to hurt a script, short enough for a stuck key
cdef bytes PONG_FRAME = b'{"type":"pong"}'
cdef bytes TOO_FAST = b'{"type":"error","code":"too_fast","message":"Too fast. Wait a moment.","retry_after":1}'
cdef dict FAILURES = {
    1002: (b'protocol', b'This is not a WebSocket frame that the protocol allows.', C_CLOSE_PROTOCOL),
    1003: (b'binary', b'Only text frames are spoken here.', C_CLOSE_BINARY),
    1007: (b'encoding', b'A text frame is not UTF-8.', C_CLOSE_ENCODING),
    1009: (b'too_big', b'A frame or message is larger than 64 KiB.', C_CLOSE_TOO_BIG),
    4008: (b'flood', b'Too much, too fast. Come back later.', C_CLOSE_FLOOD),
}
cdef uint8_t *stage = <uint8_t *>malloc(STAGE + READ)
cdef uint32_t serials = 0


cdef class Reactor:
    """All sockets of one worker.

    `limits`: whether rate limits have verdicts; `messages`, `signals`, `frames`, `bytes_in`, `refusals`: (burst, a second) of a connection's buckets;
    `message_max`: payload bytes of a message; `connections_max`: sockets at once, beyond it newcomers are told 503; `idle`: seconds of silence after
    which it is pinged; `patience`: seconds for the answer; `wall`: unix time minus the clock that `now` is of; `echo`: each message is
    sent back with its opcode, at any path.
    """

    def __cinit__(
        self, *, judge: Judge, addresses: Addresses, now: float, wall: float = 0.0, limits: bool = True, echo: bool = False,
        message_max: int = 65536, connections_max: int = 1_000_000, idle: int = 25, patience: int = 20,
        messages=(100, 20), signals=(100, 20), frames=(250, 50), bytes_in=(1 << 20, 1 << 18), refusals=(1000, 20),
    ):
        if stage == NULL:
            raise MemoryError
        if not 125 <= message_max <= 1 << 30 or connections_max < 1 or idle < 1 or patience < 1:
            raise ValueError("message_max is 125 bytes to 1 GiB; connections_max, idle and patience are 1 or more")
        memset(&self.io, 0, sizeof(self.io))
        self.listener = -1
        self.io.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.io.epoll < 0:
            raise OSError(errno, "epoll_create1")
        self.judge = judge
        self.addresses = addresses
        self.echo = echo
        self.message_max = message_max
        self.connections_max = connections_max
        self.idle_seconds = idle
        self.answer_seconds = patience
        self.io.limits = limits
        self.io.start = self.io.now = now
        self.io.wall = wall
        for i, (burst, rate) in enumerate((messages, frames, bytes_in, refusals, signals)):
            self.io.bucket[i].burst = burst
            self.io.bucket[i].rate = rate
        wheel_init(&self.io.wheel, 0)
        self.free_slots = []
        self.gated = []
        self.leaving = []
        self.events = []

    def __dealloc__(self):
        cdef uint32_t i
        for i in range(self.slot_count):
            if self.slots[i] != NULL:
                self.finish(self.slots[i])
        self.bury()
        free(self.slots)
        if self.io.epoll >= 0:
            close(self.io.epoll)

    @property
    def fd(self) -> int:
        """The epoll set's descriptor: readable when `drain` has work."""
        return self.io.epoll

    @property
    def online(self) -> int:
        """Open connections of people, virtual ones included."""
        return self.open

    @property
    def connections(self) -> int:
        """Sockets held: open ones, those whose head is being read, and those that close."""
        return self.slot_count - len(self.free_slots)

    def counters(self) -> dict[str, int]:
        """Totals since the start, by the names of ext.counters."""
        return {name: self.io.count[i] for i, name in enumerate(_NAMES)}

    def times(self) -> dict[str, tuple[list[int], float]]:
        """Histograms over ext.counters.TIME_BOUNDS, (counts, sum in seconds): `relayed`, of each message from the moment its
        socket was ready until it was sent, and `turns`, from ready sockets to opened gates."""
        return {"relayed": times_read(&self.io.relayed), "turns": times_read(&self.io.turns)}

    # ---- newcomers

    def listen(self, fd: int) -> None:
        """Takes newcomers from the listening, non-blocking socket `fd`, which stays its owner's."""
        cdef epoll_event event
        event.events = EPOLLIN
        event.data.ptr = NULL
        if epoll_ctl(self.io.epoll, EPOLL_CTL_ADD, fd, &event) < 0:
            raise OSError(errno, "epoll_ctl")
        self.listener = fd
        self.listening = True

    def refuse_newcomers(self) -> None:
        """Stops accepting; what is open goes on."""
        if self.listening:
            epoll_ctl(self.io.epoll, EPOLL_CTL_DEL, self.listener, NULL)
        self.listening = False
        self.listener = -1

    def adopt_socket(self, fd: int, address: str, begun: bytes = b"") -> int:
        """Takes over a connected, non-blocking socket on which a request head is to come; returns the connection.

        `begun`: what was read of it already, STAGE bytes at most; what follows from it comes with the next `drain`.
        """
        cdef const uint8_t *data = begun
        cdef Py_ssize_t size = len(begun), used
        cdef conn_t *conn
        if size > STAGE:
            raise ValueError("more was read than a head and a frame")
        conn = self.begin(fd, address)
        if conn == NULL:
            raise OSError("no memory or no descriptor for another connection")
        number = name(conn)
        if size:
            memcpy(stage, data, size)
            used = self.consume(conn, stage, size)
            self.keep(conn, stage + used, size - used)
        return number

    def open_virtual(self, address: str) -> int:
        """A connection without a socket, for whoever speaks for a client over another wire; open at once.

        It takes part like every other. What it is sent comes back as `(MAIL, conn, owner, payloads)`: text frames, and
        the close code as a number. What its client says is injected.
        """
        cdef conn_t *conn = self.begin(-1, address)
        if conn == NULL:
            raise MemoryError("no memory for another connection")
        conn.flags |= VIRTUAL
        conn.state = OPEN
        self.open += 1
        return name(conn)

    def inject(self, number: int, payload: bytes) -> bool:
        """A text frame of a virtual connection's client, as if it came now; False where the connection is gone or its gate is shut."""
        cdef conn_t *conn = self.find(number)
        if conn == NULL or not conn.flags & VIRTUAL or conn.flags & GATED:
            return False
        if <uint32_t>len(payload) > self.message_max:
            self.fail(conn, 1009)
            return True
        conn.heard = self.io.second
        self.message(conn, TEXT, <uint8_t *><const char *>payload, len(payload))
        return True

    def hold(self, number: int, on: bool) -> None:
        """The owner of a virtual connection takes no more mail (`on`), or takes it again: what a blocked socket is to others.

        Held for 20 s without a break, the connection is lost (protocol.md, rule 4).
        """
        cdef conn_t *conn = self.find(number)
        if conn == NULL or not conn.flags & VIRTUAL or on == bool(conn.flags & BLOCKED):
            return
        conn.held = 0
        conn.moved = self.io.second
        if on:
            conn.flags |= BLOCKED
            wheel_arm(&self.io.wheel, &conn.timer, TAKE_SECONDS)
        else:
            self.unblock(conn)

    def drop(self, number: int) -> None:
        """A virtual connection is gone, without a word to anybody: whoever drops it tells the engine."""
        cdef conn_t *conn = self.find(number)
        if conn != NULL and conn.flags & VIRTUAL:
            self.finish(conn)

    cdef void unblock(self, conn_t *conn) noexcept:
        conn.flags &= ~BLOCKED
        wheel_disarm(&conn.timer)
        if conn.out != NULL and not conn.flags & DIRTY:
            conn.flags |= DIRTY
            conn.next = self.io.dirty
            self.io.dirty = conn

    cdef conn_t *begin(self, int fd, str address) except? NULL:
        global serials
        cdef epoll_event event
        cdef conn_t *conn = <conn_t *>aligned(sizeof(conn_t))
        cdef conn_t **grown
        cdef uint32_t slot
        cdef int i
        if conn == NULL:
            return NULL
        if self.free_slots:
            slot = self.free_slots.pop()
        else:
            if self.slot_count == self.slot_room:
                slot = self.slot_room * 2 if self.slot_room else 1024
                grown = <conn_t **>realloc(self.slots, slot * sizeof(conn_t *))
                if grown == NULL:
                    free(conn)
                    return NULL
                self.slots = grown
                self.slot_room = slot
            slot = self.slot_count
            self.slot_count += 1
        serials += 1
        conn.fd = fd
        conn.slot = slot
        conn.generation = serials
        conn.state = HEAD
        conn.heard = conn.moved = self.io.second
        conn.stamp = self.io.now
        for i in range(BUCKETS):
            conn.tokens[i] = self.io.bucket[i].burst
        Py_INCREF(address)
        conn.address = <PyObject *>address
        self.slots[slot] = conn
        if fd < 0:
            return conn
        event.events = EPOLLIN
        event.data.ptr = conn
        if epoll_ctl(self.io.epoll, EPOLL_CTL_ADD, fd, &event) < 0:
            self.finish(conn)
            return NULL
        wheel_arm(&self.io.wheel, &conn.timer, HEAD_SECONDS)
        self.io.count[C_ACCEPTED] += 1
        return conn

    cdef int accept(self) except -1:
        cdef sockaddr_storage peer
        cdef socklen_t size
        cdef char text[64]
        cdef int left = ACCEPTS, fd
        while left:
            left -= 1
            size = sizeof(peer)
            fd = accept4(self.listener, <sockaddr *>&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
            if fd < 0:
                if errno == EMFILE or errno == ENFILE:
                    # no descriptor left: the queue of the kernel waits until the next second
                    epoll_ctl(self.io.epoll, EPOLL_CTL_DEL, self.listener, NULL)
                    self.listening = False
                elif errno == EINTR:
                    continue
                return 0
            text[0] = 0
            if peer.ss_family == AF_INET:
                inet_ntop(AF_INET, &(<sockaddr_in *>&peer).sin_addr, text, sizeof(text))
            elif peer.ss_family == AF_INET6:
                inet_ntop(AF_INET6, &(<sockaddr_in6 *>&peer).sin6_addr, text, sizeof(text))
            if self.begin(fd, text.decode("ascii")) == NULL:
                close(fd)
        return 0

    cdef Py_ssize_t head(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1:
        """Judges the request head at `data` as soon as it is whole; returns the bytes used."""
        cdef Py_ssize_t end = head_end(data, size)
        cdef Verdict verdict
        cdef bytes text
        if end > HEAD_MAX or end == 0 and size > HEAD_MAX:
            self.dismiss(conn, C_HEAD_LARGE, http_answer(431, "The request head is larger than 16 KiB."))
            return size
        if end == 0:
            return 0
        text = PyBytes_FromStringAndSize(<char *>data, end)
        verdict = self.judge.judge(text, <str>conn.address)
        if verdict.status == 0:
            self.hand_over(conn, PyBytes_FromStringAndSize(<char *>data, size))
            return size
        if verdict.status != 101:
            reason = verdict.reason
            self.dismiss(
                conn,
                C_HEAD_HOST if reason == "host" else C_HEAD_ORIGIN if reason == "origin"
                else C_HEAD_VERSION if reason == "version" else C_HEAD_BAD,
                verdict.answer,
            )
            return size
        if self.open >= self.connections_max:
            self.dismiss(conn, C_HEAD_BUSY, http_answer(503, "This server is full. Try again in a moment.", b"Retry-After: 5\r\n"))
            return size
        key = key_of(verdict.address)
        if not self.addresses.enter(key, self.io.now):
            self.dismiss(conn, C_HEAD_LIMITED, http_answer(429, "Too many connections come from your network.", b"Retry-After: 60\r\n"))
            return size
        Py_INCREF(key)
        Py_DECREF(<object>conn.address)
        conn.address = <PyObject *>key
        conn.flags |= COUNTED
        conn.state = OPEN
        self.open += 1
        self.io.count[C_OPENED] += 1
        raw(&self.io, conn, verdict.answer, len(verdict.answer))
        wheel_arm(&self.io.wheel, &conn.timer, self.idle_seconds)
        if not self.echo:
            self.shut(conn)
            self.events.append((K_OPENED, name(conn), None, (verdict.address, verdict.identity)))
        return end

    cdef int hand_over(self, conn_t *conn, bytes data) except -1:
        """Gives the socket, with what was read, to whoever speaks HTTP."""
        cdef int fd = conn.fd
        epoll_ctl(self.io.epoll, EPOLL_CTL_DEL, fd, NULL)
        conn.fd = -1
        self.io.count[C_HANDED] += 1
        self.finish(conn)
        self.events.append((K_HTTP, fd, None, data))
        return 0

    cdef int dismiss(self, conn_t *conn, int counter, bytes text) except -1:
        self.io.count[counter] += 1
        raw(&self.io, conn, text, len(text))
        self.closing(conn, LINGER)
        return 0

    # ---- the ends of a connection

    cdef void closing(self, conn_t *conn, int linger) noexcept:
        """From here on only what is queued still leaves."""
        if conn.state == OPEN:
            self.open -= 1
        detach(conn)
        conn.state = CLOSING
        if conn.flags & VIRTUAL:
            self.unblock(conn)
            linger = 0
        conn.flags = (conn.flags & ~(GATED | PAUSED)) | linger
        self.leaving.append(name(conn))
        watch(&self.io, conn)
        wheel_arm(&self.io.wheel, &conn.timer, LINGER_SECONDS)

    cdef void leave(self) noexcept:
        """Ends the closing connections whose output is gone; the others are looked at again when their socket takes more."""
        cdef list leaving = self.leaving
        cdef conn_t *conn
        self.leaving = []
        for number in leaving:
            conn = self.slots[<uint32_t>(<uint64_t>number)]
            if conn == NULL or conn.generation != <uint64_t>number >> 32 or conn.state != CLOSING or conn.out != NULL:
                continue
            if conn.flags & LINGER and not conn.flags & BROKEN:
                shutdown(conn.fd, SHUT_WR)
            else:
                self.finish(conn)

    cdef void finish(self, conn_t *conn) noexcept:
        """The socket goes, and all that the connection holds; its memory at the end of the batch."""
        if conn.state == DEAD:
            return
        if conn.state == OPEN:
            self.open -= 1
        detach(conn)
        if conn.fd >= 0:
            close(conn.fd)
        conn.fd = -1
        conn.state = DEAD
        wheel_disarm(&conn.timer)
        if conn.flags & COUNTED:
            self.addresses.leave(<object>conn.address, self.io.now)
        if conn.address != NULL:
            Py_DECREF(<object>conn.address)
            conn.address = NULL
        if conn.owner != NULL:
            Py_DECREF(<object>conn.owner)
            conn.owner = NULL
        self.slots[conn.slot] = NULL
        self.free_slots.append(conn.slot)
        conn.buried = self.graveyard
        self.graveyard = conn

    cdef void bury(self) noexcept:
        cdef conn_t *conn
        while self.graveyard != NULL:
            conn = self.graveyard
            self.graveyard = conn.buried
            conn_free(conn)

    cdef int lose(self, conn_t *conn, int how) except -1:
        """Says that an open connection is gone or going."""
        self.io.count[C_LEFT if how == H_LEFT else C_DROPPED] += 1
        self.events.append((K_LOST, name(conn), <object>conn.owner if conn.owner != NULL else None, how))
        return 0

    cdef int fail(self, conn_t *conn, int code) except -1:
        """Ends a connection for what it sent: `error`, then the close code."""
        code_name, words, counter = FAILURES[code]
        self.io.count[<int>counter] += 1
        if not self.echo:
            more = b',"retry_after":%d' % FLOOD_SECONDS if code == 4008 else b""
            text = b'{"type":"error","code":"%s","message":"%s"%s}' % (code_name, words, more)
            frame(&self.io, conn, TEXT, text, len(text))
        self.say_close(conn, code)
        self.lose(conn, H_FLOODED if code == 4008 else H_BROKE)
        self.closing(conn, LINGER)
        return 0

    cdef void say_close(self, conn_t *conn, int code) noexcept:
        cdef uint8_t payload[2]
        payload[0] = <uint8_t>(code >> 8)
        payload[1] = <uint8_t>code
        frame(&self.io, conn, CLOSE, payload, 2)

    cdef int closed(self, conn_t *conn, uint8_t *payload, Py_ssize_t size) except -1:
        """The client's close frame (RFC 6455, 5.5.1): answered with its own code."""
        cdef int code = <int>payload[0] << 8 | payload[1] if size >= 2 else 1000
        if size == 1 or not close_code_allowed(code):
            return self.fail(conn, 1002)
        if size > 2 and not valid(payload + 2, size - 2):
            return self.fail(conn, 1007)
        self.io.count[C_CLIENT_NORMAL if code == 1000 else C_CLIENT_AWAY if code == 1001 else C_CLIENT_OTHER] += 1
        frame(&self.io, conn, CLOSE, payload, 2 if size else 0)
        self.lose(conn, H_LEFT if code == 1000 else H_DROPPED)
        self.closing(conn, 0)
        return 0

    # ---- reading

    cdef void shut(self, conn_t *conn) noexcept:
        conn.flags |= GATED
        self.gated.append(name(conn))

    cdef int event(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1:
        """A text frame that needs a decision: the gate is shut behind it."""
        self.io.count[C_EVENTS] += 1
        self.shut(conn)
        self.events.append((K_FRAME, name(conn), <object>conn.owner if conn.owner != NULL else None, PyBytes_FromStringAndSize(<char *>data, size)))
        return 0

    cdef int message(self, conn_t *conn, int opcode, uint8_t *data, Py_ssize_t size) except -1:
        """A whole message came: relayed at once, or an event."""
        cdef line_t line
        cdef int kind
        if self.echo:
            if opcode == TEXT and not valid(data, size):
                return self.fail(conn, 1007)
            frame(&self.io, conn, opcode, data, size)
            return 0
        if conn.flags & CONFIRM:
            conn.flags &= ~CONFIRM
            self.events.append((K_CONFIRMED, name(conn), <object>conn.owner if conn.owner != NULL else None, None))
        kind = scan(data, size, &line)
        if kind == MESSAGE and conn.ring != NULL and conn.side < 2:
            relay_message(&self.io, conn, line.text, line.size, line.id, line.id_size)
        elif (kind == TYPING_ON or kind == TYPING_OFF) and conn.ring != NULL and conn.side < 2:
            relay_typing(&self.io, conn, kind == TYPING_ON)
        elif kind == ASK_PONG and take(&self.io, conn, B_FRAMES, 1):
            frame(&self.io, conn, TEXT, PONG_FRAME, len(PONG_FRAME))
        elif not valid(data, size):
            return self.fail(conn, 1007)
        elif take(&self.io, conn, B_FRAMES, 1):
            return self.event(conn, data, size)
        else:
            self.io.count[C_TOO_FAST] += 1
            take(&self.io, conn, B_REFUSALS, 1)
            frame(&self.io, conn, TEXT, TOO_FAST, len(TOO_FAST))
        if self.io.limits and conn.tokens[B_REFUSALS] < 1:
            return self.fail(conn, 4008)
        return 0

    cdef int piece(self, conn_t *conn, frame_t *head, uint8_t *data) except -1:
        """A data frame: a whole message, or a piece of one (5.4)."""
        cdef Py_ssize_t size = <Py_ssize_t>head.length
        cdef uint8_t *grown
        cdef int opcode = head.opcode
        if opcode == BINARY and not self.echo:
            return self.fail(conn, 1003)
        if (opcode == CONTINUATION) != (conn.fragment != 0):
            return self.fail(conn, 1002)
        if opcode != CONTINUATION and head.fin:
            return self.message(conn, opcode, data, size)
        if conn.part_size + size > self.message_max:
            return self.fail(conn, 1009)
        if opcode != CONTINUATION:
            conn.fragment = <uint8_t>opcode
        if size:
            grown = fit(conn.part, conn.part_size, &conn.part_room, <uint32_t>size)
            if grown == NULL:
                return self.fail(conn, 1009)
            conn.part = grown
            memcpy(conn.part + conn.part_size, data, size)
            conn.part_size += <uint32_t>size
        if not head.fin:
            return 0
        opcode = conn.fragment
        grown = conn.part
        size = conn.part_size
        conn.fragment = 0
        conn.part = NULL
        conn.part_size = conn.part_room = 0
        try:
            return self.message(conn, opcode, grown if size else stage, size)
        finally:
            free(grown)

    cdef int control(self, conn_t *conn, frame_t *head, uint8_t *data) except -1:
        if head.opcode == CLOSE:
            return self.closed(conn, data, <Py_ssize_t>head.length)
        if head.opcode == PING and not (conn.flags & BLOCKED and pending(conn) > OWN_BYTES):
            frame(&self.io, conn, PONG, data, <Py_ssize_t>head.length)
        return 0

    cdef Py_ssize_t consume(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1:
        """Parses what is whole in `size` bytes at `data`, up to a shut gate; returns the bytes used."""
        cdef Py_ssize_t at = 0
        cdef frame_t head
        cdef int verdict
        if conn.state == HEAD:
            at = self.head(conn, data, size)
        while at < size and conn.state == OPEN and not conn.flags & GATED:
            verdict = parse_header(data + at, size - at, self.message_max, &head)
            if verdict < 0:
                self.fail(conn, -verdict)
                break
            if verdict == 0 or size - at - verdict < <Py_ssize_t>head.length:
                break
            at += verdict
            unmask(data + at, <Py_ssize_t>head.length, head.mask)
            self.io.count[C_FRAMES] += 1
            if head.opcode >= CLOSE:
                self.control(conn, &head, data + at)
            else:
                self.piece(conn, &head, data + at)
            at += <Py_ssize_t>head.length
        return at if conn.state == OPEN or conn.state == HEAD else size

    cdef int keep(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1:
        """Keeps `size` unparsed bytes at `data` for the next turn, in memory of their size."""
        cdef uint8_t *own = NULL
        if size and conn.state != DEAD and conn.state != CLOSING:
            own = <uint8_t *>malloc(size)
            if own == NULL:
                self.lose(conn, H_DROPPED)
                self.finish(conn)
                return 0
            memcpy(own, data, size)
        free(conn.input)
        conn.input = own
        conn.input_size = conn.input_room = <uint32_t>size if own != NULL else 0
        return 0

    cdef int readable(self, conn_t *conn) except -1:
        """One read, and all that it completes."""
        cdef uint8_t *data = stage
        cdef uint8_t *grown
        cdef Py_ssize_t before = conn.input_size, got, used
        if conn.flags & GATED:
            return 0
        if before > STAGE - READ:
            grown = fit(conn.input, conn.input_size, &conn.input_room, READ)
            if grown == NULL:
                return self.gone(conn, C_CLIENT_NONE)
            data = conn.input = grown
        got = recv(conn.fd, data + before, READ, 0)
        if got < 0 and (errno == EAGAIN or errno == EINTR):
            return 0
        if got <= 0:
            return self.gone(conn, C_CLIENT_NONE)
        if conn.state == CLOSING:
            return 0
        self.io.count[C_READS] += 1
        self.io.count[C_BYTES_IN] += got
        conn.heard = self.io.second
        conn.flags &= ~PINGED
        if before and data == stage:
            memcpy(stage, conn.input, before)
        if self.io.limits:
            take(&self.io, conn, B_BYTES, 0)
            conn.tokens[B_BYTES] -= got
        if conn.flags & BLOCKED and pending(conn) > OWN_BYTES or self.io.limits and conn.tokens[B_BYTES] < 0:
            self.pause(conn)
        used = self.consume(conn, data, before + got)
        if conn.state == DEAD:
            return 0
        if data == stage:
            return self.keep(conn, data + used, before + got - used)
        memmove(data, data + used, before + got - used)
        conn.input_size = <uint32_t>(before + got - used)
        if conn.input_size <= STAGE - READ:
            grown = conn.input
            conn.input = NULL
            self.keep(conn, grown, conn.input_size)
            free(grown)
        return 0

    cdef void pause(self, conn_t *conn) noexcept:
        """Stops reading for a second."""
        self.io.count[C_PAUSED] += 1
        conn.flags |= PAUSED
        watch(&self.io, conn)
        wheel_arm(&self.io.wheel, &conn.timer, 1)

    cdef int gone(self, conn_t *conn, int counter) except -1:
        if conn.state == OPEN:
            self.io.count[counter] += 1
            self.lose(conn, H_DROPPED)
        elif conn.state == HEAD and conn.input_size:
            self.io.count[C_HEAD_LOST] += 1
        self.finish(conn)
        return 0

    # ---- turns

    cdef void clock(self, double now) noexcept:
        if now > self.io.now:
            self.io.now = now
            self.io.second = <uint32_t>(now - self.io.start)

    cdef list collect(self):
        cdef list events = self.events
        flush_dirty(&self.io)
        if self.io.mail != NULL:
            self.post()
        if self.leaving:
            self.leave()
        self.bury()
        if not events:
            return []
        self.events = []
        self.io.count[C_BATCHES] += 1
        return events

    cdef int post(self) except -1:
        """What virtual connections were sent in this batch, as events behind all others."""
        cdef conn_t *conn
        cdef uint8_t *at
        cdef uint8_t *end
        cdef Py_ssize_t size
        cdef int opcode
        cdef list payloads
        while self.io.mail != NULL:
            conn = self.io.mail
            self.io.mail = conn.next
            conn.next = NULL
            conn.flags &= ~DIRTY
            if conn.state == DEAD:
                continue
            payloads = []
            at = conn.out + conn.out_start
            end = conn.out + conn.out_end
            while at < end:
                opcode = at[0] & 15
                size = at[1]
                at += 2
                if size == 126:
                    size = <Py_ssize_t>at[0] << 8 | at[1]
                    at += 2
                elif size == 127:
                    size = <Py_ssize_t>at[4] << 24 | <Py_ssize_t>at[5] << 16 | <Py_ssize_t>at[6] << 8 | at[7]
                    at += 8
                if opcode == CLOSE:
                    payloads.append(<int>at[0] << 8 | at[1])
                else:
                    payloads.append(PyBytes_FromStringAndSize(<char *>at, size))
                at += size
            drop_output(conn)
            self.events.append((K_MAIL, name(conn), <object>conn.owner if conn.owner != NULL else None, payloads))
        return 0

    def drain(self, now: float) -> list[tuple[int, int, object, object]]:
        """Does all that is ready, and returns what needs a decision. `now`: monotonic seconds."""
        cdef epoll_event ready[512]
        cdef conn_t *conn
        cdef int i, n
        self.clock(now)
        n = epoll_wait(self.io.epoll, ready, BATCH, 0)
        self.io.began = clock_now()
        self.io.count[C_TURNS] += 1
        self.io.count[C_READY] += max(n, 0)
        for i in range(n):
            foresee(ready, i, n)
            conn = <conn_t *>ready[i].data.ptr
            if conn == NULL:
                self.accept()
                continue
            if conn.state == DEAD:
                continue
            if ready[i].events & EPOLLOUT:
                flush(&self.io, conn)
                if conn.state == CLOSING:
                    self.leaving.append(name(conn))
            if ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR):
                self.readable(conn)
            flush_dirty(&self.io)
            if self.io.count[C_MESSAGES] != self.io.timed:
                self.time_messages(clock_now())
        return self.collect()

    cdef void time_messages(self, uint64_t now) noexcept:
        """What was relayed since the last look has been sent by now."""
        times_add(&self.io.relayed, now - self.io.began, self.io.count[C_MESSAGES] - self.io.timed)
        self.io.timed = self.io.count[C_MESSAGES]

    def settle(self, now: float) -> list[tuple[int, int, object, object]]:
        """Opens the gates, parses what stood behind them, sends what waits; returns what needs a decision now."""
        cdef conn_t *conn
        cdef list gated = self.gated
        cdef uint8_t *data
        cdef Py_ssize_t size, used
        cdef uint64_t stop
        cdef list events
        self.clock(now)
        if self.io.began == 0:
            self.io.began = clock_now()  # the engine acted by itself: nothing was ready
        self.gated = []
        for number in gated:
            conn = self.find(number)
            if conn == NULL or not conn.flags & GATED:
                continue
            conn.flags &= ~GATED
            if conn.input_size and not conn.flags & PAUSED:
                data = conn.input
                size = conn.input_size
                conn.input = NULL
                conn.input_size = conn.input_room = 0
                try:
                    used = self.consume(conn, data, size)
                    if conn.state != DEAD:
                        self.keep(conn, data + used, size - used)
                finally:
                    free(data)
        events = self.collect()
        stop = clock_now()
        if self.io.count[C_MESSAGES] != self.io.timed:
            self.time_messages(stop)
        if not events:
            times_add(&self.io.turns, stop - self.io.began, 1)
            self.io.began = 0
        return events

    def tick(self, now: float) -> list[tuple[int, int, object, object]]:
        """Once a second: time-outs, pings, pauses that end; returns what needs a decision."""
        cdef timer_t *timer
        cdef epoll_event event
        self.clock(now)
        self.io.began = clock_now()
        if self.listener >= 0 and not self.listening:
            event.events = EPOLLIN
            event.data.ptr = NULL
            self.listening = epoll_ctl(self.io.epoll, EPOLL_CTL_ADD, self.listener, &event) == 0
        self.addresses.forget(now)
        while True:
            timer = wheel_due(&self.io.wheel, self.io.second)
            if timer == NULL:
                break
            self.expire(<conn_t *>timer)
        return self.collect()

    cdef int expire(self, conn_t *conn) except -1:
        cdef uint32_t second = self.io.second, wait
        if conn.state == HEAD:
            return self.dismiss(conn, C_HEAD_SLOW, http_answer(408, "The request head did not come within 10 seconds."))
        if conn.state == CLOSING:
            self.finish(conn)
            return 0
        if conn.flags & PAUSED and not (conn.flags & BLOCKED and pending(conn) > OWN_BYTES):
            take(&self.io, conn, B_BYTES, 0)
            conn.flags &= ~PAUSED
            watch(&self.io, conn)
            if conn.input_size:
                self.shut(conn)  # what was read before the pause is parsed in the turn that follows
        wait = self.idle_seconds
        if conn.flags & BLOCKED:
            if second - conn.moved >= TAKE_SECONDS:
                return self.gone(conn, C_UNTAKEN)
            wait = min(wait, TAKE_SECONDS - (second - conn.moved))
        if conn.flags & VIRTUAL:
            if conn.flags & BLOCKED:
                wheel_arm(&self.io.wheel, &conn.timer, wait)
            return 0
        if conn.flags & PINGED:
            if second - conn.heard >= self.idle_seconds + self.answer_seconds:
                return self.gone(conn, C_UNANSWERED)
            wait = min(wait, self.idle_seconds + self.answer_seconds - (second - conn.heard))
        elif second - conn.heard >= self.idle_seconds:
            self.io.count[C_PINGS] += 1
            conn.flags |= PINGED
            conn.heard = second - self.idle_seconds  # after a long sleep of ours, patience begins now
            frame(&self.io, conn, PING, NULL, 0)
            wait = min(wait, self.answer_seconds)
        else:
            wait = min(wait, self.idle_seconds - (second - conn.heard))
        wheel_arm(&self.io.wheel, &conn.timer, 1 if conn.flags & PAUSED else wait)
        return 0

    # ---- effects; a connection that is gone takes none

    cdef conn_t *find(self, uint64_t number) noexcept:
        """The open connection of that name, or NULL."""
        cdef uint32_t slot = <uint32_t>number
        cdef conn_t *conn
        if slot >= self.slot_count:
            return NULL
        conn = self.slots[slot]
        return conn if conn != NULL and conn.generation == number >> 32 and conn.state == OPEN else NULL

    def adopt(self, number: int, owner: object, confirm: bool = False) -> None:
        """From now on events of this connection carry `owner`; with `confirm` the next text frame is told as CONFIRMED."""
        cdef conn_t *conn = self.find(number)
        if conn == NULL:
            return
        Py_INCREF(owner)
        if conn.owner != NULL:
            Py_DECREF(<object>conn.owner)
        conn.owner = <PyObject *>owner
        if confirm:
            conn.flags |= CONFIRM

    def send(self, number: int, payload: bytes) -> None:
        """Queues a text frame."""
        cdef conn_t *conn = self.find(number)
        if conn != NULL:
            frame(&self.io, conn, TEXT, payload, len(payload))

    def link(self, number: int, ring: Ring, side: int) -> None:
        """Installs the data path: side 0 or 1 of the chat talks, side 2 watches."""
        cdef conn_t *conn = self.find(number)
        if not 0 <= side < 3:
            raise ValueError("a side is 0, 1 or 2")
        if conn == NULL:
            return
        detach(conn)
        ring_keep(ring.ring)
        conn.ring = ring.ring
        conn.side = side
        ring.ring.party[side] = conn
        if side < 2:
            ring.ring.unsent[side] = ring.ring.unsent_bytes[side] = 0

    def unlink(self, number: int) -> None:
        """Takes the data path away."""
        cdef conn_t *conn = self.find(number)
        if conn != NULL:
            detach(conn)

    def say(self, number: int, text: bytes, id: bytes | None) -> None:
        """Relays a message in another spelling. `text`, `id`: JSON strings without their quotes; the id is at most 384 bytes."""
        cdef conn_t *conn = self.find(number)
        if conn != NULL and conn.ring != NULL and conn.side < 2:
            relay_message(&self.io, conn, text, len(text), <const uint8_t *><const char *>id if id else NULL, len(id) if id else 0)

    def typing(self, number: int, typing: bool) -> None:
        """Relays a typing sign in another spelling."""
        cdef conn_t *conn = self.find(number)
        if conn != NULL and conn.ring != NULL and conn.side < 2:
            relay_typing(&self.io, conn, typing)

    def signal(self, number: int, payload: bytes) -> bool:
        """Relays a checked `signal` frame; False where the partner does not take it, or it comes too fast."""
        cdef conn_t *conn = self.find(number)
        return conn != NULL and conn.ring != NULL and conn.side < 2 and relay_signal(&self.io, conn, payload, len(payload))

    def refuse(self, number: int) -> None:
        """Counts a refused `message` frame of the present chat."""
        cdef conn_t *conn = self.find(number)
        if conn != NULL and conn.ring != NULL and conn.side < 2:
            ring_refuse(conn.ring, conn.side)

    def replay(self, number: int, ring: Ring, side: int, after: int) -> None:
        """Queues what the others said behind number `after`."""
        cdef conn_t *conn = self.find(number)
        if conn != NULL:
            replay(&self.io, conn, ring.ring, side, after)

    def close(self, number: int, code: int, payload: bytes | None) -> None:
        """Ends a connection: a last text frame where given, then the close code. No LOST follows."""
        cdef conn_t *conn = self.find(number)
        if conn == NULL:
            return
        if payload is not None:
            frame(&self.io, conn, TEXT, payload, len(payload))
        self.io.count[
            C_CLOSE_RESTART if code == 1012 else C_CLOSE_BUSY if code == 1013 else C_CLOSE_BANNED if code == 4003
            else C_CLOSE_FLOOD if code == 4008 else C_CLOSE_REPLACED if code == 4009 else C_CLOSE_INTERNAL
        ] += 1
        self.say_close(conn, code)
        self.closing(conn, LINGER)


cdef inline void foresee(epoll_event *ready, int i, int n) noexcept nogil:
    """Fetches what the next reads will touch: each stands in memory that the kernel's work has driven out of the cache."""
    cdef conn_t *conn
    cdef conn_t *partner
    cdef ring_t *ring
    if i + 4 < n and ready[i + 4].data.ptr != NULL:
        conn = <conn_t *>ready[i + 4].data.ptr
        prefetch(conn)
    if i + 3 < n and ready[i + 3].data.ptr != NULL:
        conn = <conn_t *>ready[i + 3].data.ptr
        prefetch(conn.ring)  # a fetch of NULL does nothing
    if i + 2 < n and ready[i + 2].data.ptr != NULL:
        conn = <conn_t *>ready[i + 2].data.ptr
        ring = conn.ring
        if ring != NULL and conn.side < 2:
            partner = <conn_t *>ring.party[1 - conn.side]
            prefetch(partner)
            prefetch(&partner.out)
            if ring.data != NULL:
                prefetch(ring.data + ((ring.start + ring.used) & (ring.size - 1)))


cdef inline uint64_t name(conn_t *conn) noexcept:
    return <uint64_t>conn.generation << 32 | conn.slot


cdef void detach(conn_t *conn) noexcept:
    """Takes a connection out of its chat; the ring goes with its last reference."""
    if conn.ring == NULL:
        return
    if conn.ring.party[conn.side] == conn:
        conn.ring.party[conn.side] = NULL
        if conn.side < 2:
            conn.ring.unsent[conn.side] = conn.ring.unsent_bytes[conn.side] = 0
    ring_release(conn.ring)
    conn.ring = NULL
