"""The effects: whose a connection is, what it is sent, where its lines go, its end; and the connections without a socket.

A virtual connection is one whose client speaks over another wire (the Omegle face): it sits in chats like every other, what it is
sent comes back as an event, and what its client says is injected.
"""
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport uint8_t, uint32_t

from ext.net.connection cimport BLOCKED, CONFIRM, DEAD, DIRTY, GATED, LINGER, OPEN, TAKE_SECONDS, VIRTUAL, bytes_of, conn_t, drop_output, frame, pending
from ext.net.counters cimport *
from ext.net.frames cimport CLOSE, TEXT
from ext.net.intake cimport Reader
from ext.net.relay cimport relay_message, relay_signal, relay_typing, replay
from ext.net.ring cimport Ring, ring_keep, ring_refuse
from ext.net.ending cimport K_MAIL, detach, name, owner_of
from ext.net.wheel cimport wheel_arm


cdef class Party(Reader):
    """What goes out."""

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

    def signal(self, number: int, payload: bytes) -> str:
        """Relays a checked `signal` frame: "". Else the code of the error: `no_chat`, `slow` (away, or full), `too_fast`."""
        cdef conn_t *conn = self.find(number)
        if conn == NULL or conn.ring == NULL or conn.side > 1:
            return "no_chat"
        return ("", "slow", "too_fast")[relay_signal(&self.io, conn, payload, len(payload))]

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
            at = bytes_of(conn.out)
            end = at + pending(conn)
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
            self.events.append((K_MAIL, name(conn), owner_of(conn), payloads))
        return 0
