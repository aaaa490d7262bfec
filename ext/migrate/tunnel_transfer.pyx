"""Begin and end tunnels (relays for clients whose session is on another host), and move tunnels with their state between reactors.

**Invariant:** as for connections (connection_moves.pyx): an inconsistent state is refused, and received descriptors belong to the tunnel or are
closed.
"""

# A state holds ages instead of times; defaults are left out, unknown keys ignored.
#
#     heard, moved    age in seconds of the client's last byte, and of the last that it accepted; 0 is left out
#     visitor         1: another host counts the client at its address
#     to_home, sent   the client's bytes that are kept or wait, and how many of them are sent
#     within          1: they begin inside a fragmented message whose first fragments are elsewhere
#     lost            1: the position of the next frame in them is unknown
#     halved          1: the home was told that no more follows
#     closed          1: the client has sent a close frame
#     spoke           1: the home has sent something to the client, `from_home` excluded
#     talks           1: the client believes that it is in a chat
#     from_home       bytes of an incomplete frame of the home
#     to_client       bytes that are queued and not accepted; the tunnel's bytes are to_home, from_home and these, in this order

from socket import (
    IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_NODELAY, socket as Socket,
)

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.errno cimport ENOMEM, errno
from libc.stdint cimport uint8_t, uint32_t

from ext.net.byte_buffers cimport buffer_free, buffer_t, bytes_of, held_by
from ext.base.check cimport CHECK
from ext.net.connection_table cimport BLOCKED, BROKEN, PAUSED, PIPED, VISITOR, connection_holds, connection_named, connection_new, name
from ext.net.connection_end cimport free, let_go
from ext.net.frames cimport RECORD, header_size, write_header
from ext.net.tunnel_connections cimport tunnel_join, unsent
from ext.migrate.connection_moves cimport count_at, filled, give_up, has_event
from ext.net.output cimport awaited, flush, pending
from ext.net.chat_ring_snapshot cimport whole
from ext.base.system cimport EPOLL_CTL_ADD, close, epoll_ctl, epoll_event
from ext.migrate.tunnel cimport HALF_SECONDS, HOLD_SECONDS, HOME_FRAME_MAX, WAITING, followed
from ext.net.structs cimport tunnel_t
from ext.migrate.tcp_peer_liveness cimport LOOK_SECONDS
from ext.net.wheel cimport wheel_arm

cdef enum:
    AGE_MAX = 0x7fffffff
    BYTES_MAX = 0x7fffffff

RECORD_MAX = HOME_FRAME_MAX  # bytes

# A lost end or route is noticed within 3 s while nothing is in flight; else the reactor checks (tcp_peer_liveness.pyx). TCP_USER_TIMEOUT would
# also end the connection to an end that is alive and does not read.
cdef tuple OPTIONS = (
    (SOL_SOCKET, SO_KEEPALIVE, 1),
    (IPPROTO_TCP, TCP_KEEPIDLE, 1),
    (IPPROTO_TCP, TCP_KEEPINTVL, 1),
    (IPPROTO_TCP, TCP_KEEPCNT, 2),
    (IPPROTO_TCP, TCP_NODELAY, 1),
)


def prepare(sock: Socket) -> None:
    """Set the options of a TCP socket between two hosts, at either end: non-blocking, no delay, and a lost peer noticed within 3 s.

    Raises OSError if it is no such socket.
    """
    sock.setblocking(False)
    for level, option, value in OPTIONS:
        sock.setsockopt(level, option, value)


def record_frame(record: bytes) -> bytes:
    """Build the frame by which a home sends a record to the host of the tunnel's other end: opcode 3.

    Raises ValueError for more than RECORD_MAX bytes.
    """
    cdef uint8_t[10] head
    if len(record) > HOME_FRAME_MAX:
        raise ValueError("a record of a tunnel has 256 KiB at most")
    write_header(head, RECORD, len(record))
    return PyBytes_FromStringAndSize(<char *>head, header_size(len(record))) + record


cdef conn_t *piped(io_t *io, uint64_t number) noexcept nogil:
    """Return the client of a tunnel by its number, or NULL."""
    cdef conn_t *conn = connection_named(io, number)
    return conn if conn != NULL and conn.state == PIPED and conn.stamp.tunnel.client == conn else NULL


cdef object tunnel_in(io_t *io, Addresses addresses, int client_fd, str address, int home_fd, dict state, bytes data, object owner):
    """Make a tunnel between two sockets, which belong to this reactor from now on; return its number.

    Raises ValueError for an inconsistent state, OSError if there is no memory or epoll refuses: then both are closed and nothing else has
    changed.
    """
    cdef conn_t *client = connection_new(io, client_fd)
    cdef conn_t *home = connection_new(io, home_fd) if client != NULL else NULL
    cdef object number
    if home == NULL or not tunnel_join(io, client, home):
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
    """Close the descriptor of a connection that could not be made."""
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
    """Register both ends with epoll and the wheel; waiting output is sent in the next turn."""
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
    """Return the parts of a client's state that any move includes."""
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
    """Return the bytes of a buffer (NULL: none) from `start` on."""
    if buffer == NULL or start >= held_by(buffer):
        return b""
    return PyBytes_FromStringAndSize(<char *>bytes_of(buffer) + start, held_by(buffer) - start)


cdef bint ready_to_go(io_t *io, conn_t *client) noexcept:
    """Send what the client accepts. False if an event of it waits, or its socket has failed, which epoll reports."""
    if has_event(io, client):
        return False
    if client.out != NULL and not client.flags & BLOCKED:
        flush(io, client)
    return not client.flags & BROKEN


cdef tuple tunnel_out(io_t *io, Addresses addresses, conn_t *client):
    """Release a tunnel and return (the client's descriptor, address, the home's descriptor, state, bytes); None if it cannot move now."""
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
    """Release a tunnel's client as (descriptor, address, state, bytes) for `move_in`, and close the tunnel's home end.

    None if the client cannot move now, or if it cannot continue, because its last message began in another process: then it is closed too.
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
