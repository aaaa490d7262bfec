"""Open the public listening socket. **Invariant:** accepted connections inherit the options set here."""

import socket

from server.ops.process.named_sockets import StartError

BACKLOG = 4096


def listen(host: str, port: int) -> socket.socket:
    """Return a listening, non-blocking socket; accepted connections inherit TCP_NODELAY. Raises StartError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}. Another: --port N") from None
    return sock
