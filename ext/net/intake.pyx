"""One read, and all that it completes: a request head is judged, frames are parsed, a chat line is relayed, the rest is an event.

A frame that came whole is handled in the one receive buffer that all share; only a partial frame is kept by its connection. A
text frame that needs a decision shuts its connection's gate: nothing behind it is parsed until its effects were applied.
"""
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove

from ext.net.admission cimport key_of
from ext.net.connection cimport (
    B_BYTES, B_FRAMES, B_REFUSALS, BLOCKED, CLOSING, CONFIRM, COUNTED, DEAD, GATED, HEAD, LINGER, OPEN, PAUSED, PINGED, buffer_new, buffer_t,
    bytes_of, conn_t, fit, frame, held_by, pending, raw, take, watch,
)
from ext.net.counters cimport *
from ext.net.frames cimport BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_t, parse_header, unmask
from ext.net.handshake cimport HEAD_MAX, Verdict, head_end
from ext.net.handshake import answer as http_answer
from ext.net.relay cimport relay_message, relay_typing
from ext.net.chatline cimport ASK_PONG, MESSAGE, TYPING_OFF, TYPING_ON, line_t, scan
from ext.net.ending cimport H_DROPPED, K_CONFIRMED, K_FRAME, K_HTTP, K_OPENED, Sockets, name, owner_of
from ext.net.utf8 cimport valid
from ext.net.wheel cimport wheel_arm

cdef extern from "<sys/socket.h>" nogil:
    ssize_t recv(int fd, void *data, size_t size, int flags)

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_ctl(int epoll, int verb, int fd, epoll_event *event)
    int EPOLL_CTL_DEL

cdef enum:
    READ = 64 * 1024          # bytes of one read
    STAGE = 256 * 1024        # the shared receive buffer: a partial frame, and a read behind it

cdef bytes PONG_FRAME = b'{"type":"pong"}'
cdef bytes TOO_FAST = b'{"type":"error","code":"too_fast","message":"Too fast. Wait a moment.","retry_after":1}'
cdef uint8_t *stage = <uint8_t *>malloc(STAGE + READ)
if stage == NULL:
    raise MemoryError


cdef class Reader(Sockets):
    """What comes in."""

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
        verdict = self.judge.judge(text, <str>conn.of.address)
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
        key = self.addresses.shared(key)
        address = key if key == verdict.address else verdict.address
        Py_INCREF(key)
        Py_DECREF(<object>conn.of.address)
        conn.of.address = <PyObject *>key
        conn.flags |= COUNTED
        conn.state = OPEN
        self.open += 1
        self.io.count[C_OPENED] += 1
        raw(&self.io, conn, verdict.answer, len(verdict.answer))
        wheel_arm(&self.io.wheel, &conn.timer, self.idle_seconds)
        if not self.echo:
            self.shut(conn)
            self.events.append((K_OPENED, name(conn), None, (address, verdict.identity)))
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

    cdef int event(self, conn_t *conn, uint8_t *data, Py_ssize_t size) except -1:
        """A text frame that needs a decision: the gate is shut behind it."""
        self.io.count[C_EVENTS] += 1
        self.shut(conn)
        self.events.append((K_FRAME, name(conn), owner_of(conn), PyBytes_FromStringAndSize(<char *>data, size)))
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
            self.events.append((K_CONFIRMED, name(conn), owner_of(conn), None))
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
        cdef buffer_t *part
        cdef int opcode = head.opcode
        if opcode == BINARY and not self.echo:
            return self.fail(conn, 1003)
        if (opcode == CONTINUATION) != (conn.part != NULL):
            return self.fail(conn, 1002)
        if opcode != CONTINUATION and head.fin:
            return self.message(conn, opcode, data, size)
        if held_by(conn.part) + size > self.message_max:
            return self.fail(conn, 1009)
        part = fit(conn.part, <uint32_t>size)
        if part == NULL:
            return self.fail(conn, 1009)
        if opcode != CONTINUATION:
            part.mark = <uint32_t>opcode
        conn.part = part
        memcpy(bytes_of(part) + part.end, data, size)
        part.end += <uint32_t>size
        if not head.fin:
            return 0
        conn.part = NULL
        try:
            return self.message(conn, part.mark, bytes_of(part), part.end)
        finally:
            free(part)

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
        cdef buffer_t *own = NULL
        if size and conn.state != DEAD and conn.state != CLOSING:
            own = buffer_new(<uint32_t>size)
            if own == NULL:
                self.lose(conn, H_DROPPED)
                self.finish(conn)
                return 0
            memcpy(bytes_of(own), data, size)
            own.end = <uint32_t>size
        free(conn.input)
        conn.input = own
        return 0

    cdef int readable(self, conn_t *conn) except -1:
        """One read, and all that it completes."""
        cdef uint8_t *data = stage
        cdef buffer_t *kept
        cdef Py_ssize_t before = held_by(conn.input), got, used
        if conn.flags & GATED:
            return 0
        if before > STAGE - READ:
            kept = fit(conn.input, READ)
            if kept == NULL:
                return self.gone(conn, C_CLIENT_NONE)
            conn.input = kept
            data = bytes_of(kept)
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
            memcpy(stage, bytes_of(conn.input), before)
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
        kept = conn.input
        kept.end = <uint32_t>(before + got - used)
        if kept.end <= STAGE - READ:
            conn.input = NULL
            self.keep(conn, data, kept.end)
            free(kept)
        return 0

    cdef void pause(self, conn_t *conn) noexcept:
        """Stops reading for a second."""
        self.io.count[C_PAUSED] += 1
        conn.flags |= PAUSED
        watch(&self.io, conn)
        wheel_arm(&self.io.wheel, &conn.timer, 1)
