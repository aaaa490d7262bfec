"""A tunnel begins, gives its client back, and goes to another reactor: what is done to it beside its bytes.

Rule: as in release.pyx: ages, not times; defaults are left out, what is not known is skipped; what another process wrote is believed only
where it fits together and fits its bytes. Descriptors that came along are the tunnel's or closed, whatever happens.

    heard, moved   age in seconds of the client's last byte, and of the last that it took; 0 is left out
    visitor        1: another host counts the client at its address
    to_home, sent  bytes of the client's that were kept or wait, and how many of them have left
    within         1: they begin within a message in pieces, of which pieces are elsewhere
    lost           1: it is not known where in a frame they begin
    halved         1: the home was told that nothing more comes
    closed         1: the client has said that it closes
    spoke          1: the home has said something to the client, of which `from_home` is no part
    talks          1: the client takes itself to be in a chat
    from_home      bytes of a frame of the home's that is not whole
    to_client      bytes that were queued and not taken; the bytes of a tunnel are to_home, from_home and these, in this order
"""
from socket import (
    IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY, socket as Socket,
)

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.errno cimport ENOMEM, errno
from libc.stdint cimport uint8_t, uint32_t

from ext.net.buffers cimport buffer_free, buffer_t, bytes_of, held_by
from ext.base.check cimport CHECK
from ext.net.connection cimport BLOCKED, BROKEN, PAUSED, PIPED, VISITOR, connection_holds, connection_named, connection_new, name
from ext.net.closing cimport free, let_go
from ext.net.frames cimport RECORD, header_size, write_header
from ext.net.tunnel_ends cimport legs_join, unsent
from ext.migrate.release cimport count_at, filled, give_up, told_of
from ext.net.output cimport awaited, flush, pending
from ext.net.ring_snapshot cimport whole
from ext.base.system cimport EPOLL_CTL_ADD, close, epoll_ctl, epoll_event
from ext.migrate.tunnel cimport HALF_SECONDS, HOLD_SECONDS, HOME_FRAME_MAX, WAITING, followed
from ext.net.types cimport tunnel_t
from ext.migrate.peer_liveness cimport LOOK_SECONDS
from ext.net.wheel cimport wheel_arm

cdef enum:
    AGE_MAX = 0x7fffffff
    BYTES_MAX = 0x7fffffff

RECORD_MAX = HOME_FRAME_MAX  # bytes

# An end that is gone, or the way to it, is noticed within 3 s while nothing is on the way; else the reactor looks (peer_liveness.pyx). TCP_USER_TIMEOUT would
# end the way to one that is there and takes nothing, too.
cdef tuple OPTIONS = (
    (SOL_SOCKET, SO_KEEPALIVE, 1),
    (IPPROTO_TCP, TCP_KEEPIDLE, 1),
    (IPPROTO_TCP, TCP_KEEPINTVL, 1),
    (IPPROTO_TCP, TCP_KEEPCNT, 2),
    (IPPROTO_TCP, TCP_NODELAY, 1),
)


def prepare(sock: Socket) -> None:
    """Sets what a TCP socket between two hosts needs, at either end: not to block, no delay, and to be told within 3 s of an end that is gone.

    OSError: it is none.
    """
    sock.setblocking(False)
    for level, option, value in OPTIONS:
        sock.setsockopt(level, option, value)


def record_frame(record: bytes) -> bytes:
    """What a home says to the host of its tunnel's other end: a frame of opcode 3. ValueError: more than RECORD_MAX bytes."""
    cdef uint8_t[10] head
    if len(record) > HOME_FRAME_MAX:
        raise ValueError("a record of a tunnel has 256 KiB at most")
    write_header(head, RECORD, len(record))
    return PyBytes_FromStringAndSize(<char *>head, header_size(len(record))) + record


cdef conn_t *piped(io_t *io, uint64_t number) noexcept nogil:
    """The client of a tunnel, by its name, or NULL."""
    cdef conn_t *conn = connection_named(io, number)
    return conn if conn != NULL and conn.state == PIPED and conn.stamp.tunnel.client == conn else NULL


cdef object tunnel_in(io_t *io, Addresses addresses, int client_fd, str address, int home_fd, dict state, bytes data, object owner):
    """The number of a tunnel between two sockets, which are ours from here on.

    ValueError for what does not fit, OSError where there is no memory or epoll refuses: then both are closed and nothing was taken.
    """
    cdef conn_t *client = connection_new(io, client_fd)
    cdef conn_t *home = connection_new(io, home_fd) if client != NULL else NULL
    cdef object number
    if home == NULL or not legs_join(io, client, home):
        unmade(io, client, client_fd)
        unmade(io, home, home_fd)
        raise OSError(ENOMEM, "no memory for a tunnel")
    Py_INCREF(address)
    client.address = <PyObject *>address
    try:
        number = name(client)
        read_tunnel(io, client.stamp.tunnel, state, data)
        enlist(io, client.stamp.tunnel)
        count_at(io, addresses, client)
    except BaseException:
        free(io, home)
        free(io, client)
        let_go(io, addresses, client)
        raise
    Py_INCREF(owner)
    client.owner = <PyObject *>owner
    CHECK(connection_holds(client) and connection_holds(home))
    return number


cdef void unmade(io_t *io, conn_t *conn, int fd) noexcept:
    """Of what could not be made the descriptor is closed all the same."""
    if conn != NULL:
        free(io, conn)
    else:
        close(fd)


cdef int read_tunnel(io_t *io, tunnel_t *tunnel, dict state, bytes data) except -1:
    cdef const uint8_t *at = <const uint8_t *><const char *>data
    cdef conn_t *client = tunnel.client
    cdef conn_t *home = tunnel.home
    cdef uint32_t ahead = whole(state, "to_home", BYTES_MAX), held = whole(state, "from_home", BYTES_MAX)
    cdef uint32_t out = whole(state, "to_client", BYTES_MAX), gone = 0
    if <Py_ssize_t>ahead + held + out != len(data):
        raise ValueError("the bytes of a tunnel are its to_home, from_home and to_client")
    client.heard = io.second - whole(state, "heard", AGE_MAX)
    client.moved = io.second - whole(state, "moved", AGE_MAX)
    if whole(state, "visitor", 1):
        client.flags |= VISITOR
    tunnel.within = tunnel.open = <uint8_t>whole(state, "within", 1)
    tunnel.lost = <uint8_t>whole(state, "lost", 1)
    tunnel.halved = <uint8_t>whole(state, "halved", 1)
    tunnel.closed = <uint8_t>whole(state, "closed", 1)
    tunnel.spoke = <uint8_t>whole(state, "spoke", 1)
    tunnel.talks = <uint8_t>whole(state, "talks", 1)
    tunnel.sent = whole(state, "sent", ahead)
    if ahead:
        home.out = filled(at, ahead)
        gone = followed(io, tunnel, at, ahead)
        home.out.start += gone
    if ahead == gone:
        buffer_free(home.out)
        home.out = NULL
    if held:
        home.input = filled(at + ahead, held)
    if out:
        client.out = filled(at + ahead + held, out)
    return 0


cdef int enlist(io_t *io, tunnel_t *tunnel) except -1:
    """Epoll and the wheel know both legs; what waits leaves with the next turn."""
    cdef conn_t *client = tunnel.client
    cdef conn_t *home = tunnel.home
    cdef uint32_t stuck = io.second - client.moved
    if client.out != NULL:
        client.flags |= BLOCKED
        wheel_arm(&io.wheel, &client.timer, HOLD_SECONDS - stuck if stuck < HOLD_SECONDS else 1)
    if pending(client) > WAITING:
        home.flags |= PAUSED
    if tunnel.halved:
        wheel_arm(&io.wheel, &home.timer, HALF_SECONDS)
    else:
        if unsent(tunnel):
            home.flags |= BLOCKED
        wheel_arm(&io.wheel, &home.timer, LOOK_SECONDS)
    if tunnel.halved or unsent(tunnel) > WAITING:
        client.flags |= PAUSED
    watched(io, client)
    watched(io, home)
    return 0


cdef int watched(io_t *io, conn_t *conn) except -1:
    cdef epoll_event event
    event.events = awaited(conn)
    event.data.ptr = conn
    if epoll_ctl(io.epoll, EPOLL_CTL_ADD, conn.fd, &event) < 0:
        raise OSError(errno, "epoll_ctl")
    return 0


cdef dict ages(io_t *io, conn_t *client):
    """What is said of a client wherever it goes."""
    cdef dict state = {}
    cdef uint32_t heard = io.second - client.heard, moved = io.second - client.moved
    if heard:
        state["heard"] = heard
    if moved:
        state["moved"] = moved
    if client.flags & VISITOR:
        state["visitor"] = 1
    return state


cdef bytes bytes_in(buffer_t *buffer, uint32_t start):
    """What a buffer (NULL: none) holds from there on."""
    if buffer == NULL or start >= held_by(buffer):
        return b""
    return PyBytes_FromStringAndSize(<char *>bytes_of(buffer) + start, held_by(buffer) - start)


cdef bint ready_to_go(io_t *io, conn_t *client) noexcept:
    """What can be sent to it was; False where an event of it waits, or its socket is broken: epoll will say so."""
    if told_of(io, client):
        return False
    if client.out != NULL and not client.flags & BLOCKED:
        flush(io, client)
    return not client.flags & BROKEN


cdef tuple tunnel_out(io_t *io, Addresses addresses, conn_t *client):
    """(the client's descriptor, address, the home's descriptor, state, bytes) of a tunnel, which is gone from here; None where it cannot go now."""
    cdef tunnel_t *tunnel = client.stamp.tunnel
    cdef conn_t *home = tunnel.home
    cdef dict state
    cdef bytes data
    if home == NULL or home.flags & BROKEN or not ready_to_go(io, client):
        return None
    state = ages(io, client)
    for key, value in (
        ("to_home", held_by(home.out)), ("sent", tunnel.sent), ("within", tunnel.within), ("lost", tunnel.lost), ("halved", tunnel.halved),
        ("closed", tunnel.closed), ("spoke", tunnel.spoke), ("talks", tunnel.talks), ("from_home", held_by(home.input)),
        ("to_client", pending(client)),
    ):
        if value:
            state[key] = value
    data = bytes_in(home.out, 0) + bytes_in(home.input, 0) + bytes_in(client.out, 0)
    found = (client.fd, <str>client.address, home.fd, state, data)
    give_up(io, addresses, home)
    give_up(io, addresses, client)
    return found


cdef tuple client_out(io_t *io, Addresses addresses, conn_t *client, bytes returned):
    """(descriptor, address, state, bytes) of a tunnel's client, for `move_in`; the home's leg is closed, and the tunnel gone.

    None where the client cannot go on: what it said last was begun elsewhere; then it is closed too. Or where it cannot go now.
    """
    cdef tunnel_t *tunnel = client.stamp.tunnel
    cdef conn_t *home = tunnel.home
    cdef buffer_t *kept = home.out if home != NULL else client.input
    cdef uint32_t sent = tunnel.sent
    cdef dict state
    cdef bytes begun, out
    if not ready_to_go(io, client):
        return None
    begun = bytes_in(kept, 0) if returned is None else returned + bytes_in(kept, sent)
    out = bytes_in(client.out, 0)
    state = ages(io, client)
    if begun:
        state["input"] = len(begun)
    if out:
        state["out"] = len(out)
        state["blocked"] = 1
    if tunnel.spoke:
        state["spoke"] = 1
    if tunnel.talks:
        state["talks"] = 1
    found = (client.fd, <str>client.address, state, begun + out)
    if returned is None and (tunnel.within or tunnel.lost):
        found = None
    if home != NULL:
        free(io, home)
    if found is None:
        free(io, client)
    else:
        give_up(io, addresses, client)
    return found
