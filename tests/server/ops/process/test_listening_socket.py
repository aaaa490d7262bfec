"""What people knock at is bound at once, never blocks, and what it accepts sends small things at once."""

import socket

import pytest

from server.ops.process.listening_socket import listen
from server.ops.process.named_sockets import StartError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_who_knocks_is_accepted_and_sends_without_delay(host: str) -> None:
    with listen(host, 0) as sock:
        assert not sock.getblocking()
        with pytest.raises(BlockingIOError):
            sock.accept()
        with socket.create_connection(sock.getsockname()[:2]):
            sock.setblocking(True)
            accepted, _ = sock.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_port_of_one_that_has_just_ended_is_free() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        first.setblocking(True)
        first.accept()[0].close()  # ours closes first: it is TIME-WAIT that stays
    client.close()
    listen("127.0.0.1", port).close()


def test_a_port_that_another_has_is_a_reason_not_to_start() -> None:
    with listen("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .*in use.*--port"):
            listen("127.0.0.1", port)


def test_a_name_that_is_nobodys_is_a_reason_not_to_start() -> None:
    with pytest.raises(StartError, match=r"cannot listen on no-such-name\.invalid"):
        listen("no-such-name.invalid", 80)
