"""Listening sockets are made once, handed on with those who knock, and refused where the settings say another place."""

from __future__ import annotations

import socket

import pytest

from server.ops.process.listening_sockets import Sockets, StartError, listen_at, listen_public

HERE = "127.0.0.1"


def made() -> socket.socket:
    return listen_at(HERE, 0)


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def test_one_of_a_name_is_made_once_and_each_caller_has_a_copy() -> None:
    sockets = Sockets()
    one, two = sockets.get("server", made), sockets.get("server", made)
    assert port_of(one) == port_of(two)
    assert one.fileno() != two.fileno()
    one.close()
    with socket.create_connection((HERE, port_of(two))):
        pass  # a closed copy closes nothing
    two.close()
    sockets.close()


def test_who_knocks_while_nobody_accepts_waits_for_the_next() -> None:
    old = Sockets()
    accepting = old.get("server", made)
    port = port_of(accepting)
    accepting.close()
    with socket.create_connection((HERE, port)) as knocking:
        knocking.sendall(b"hello")
        new = Sockets({name: sock.dup() for name, sock in old.all().items()})
        old.close()
        with new.get("server", made, at=(HERE, port)) as ours:
            ours.setblocking(True)
            accepted, _ = ours.accept()
        with accepted:
            assert accepted.recv(5) == b"hello"
    new.close()


def test_it_refuses_only_when_the_last_copy_is_closed() -> None:
    sockets = Sockets()
    accepting = sockets.get("server", made)
    port = port_of(accepting)
    sockets.drop("server")
    sockets.drop("server")  # it is gone
    with socket.create_connection((HERE, port)):
        pass
    accepting.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HERE, port))


@pytest.mark.parametrize("host", [HERE, "localhost"])
def test_an_inherited_one_is_taken_where_the_settings_mean_it(host: str) -> None:
    with made() as ours:
        for port in (port_of(ours), 0):
            sockets = Sockets({"server": ours.dup()})
            with sockets.get("server", made, at=(host, port)) as taken:
                assert port_of(taken) == port_of(ours)
            sockets.close()


@pytest.mark.parametrize(("host", "more"), [(HERE, 1), ("127.0.0.2", 0), ("no-such-name.invalid", 0)])
def test_one_that_is_elsewhere_than_the_settings_say_needs_a_restart(host: str, more: int) -> None:
    with made() as ours:
        sockets = Sockets({"server": ours.dup()})
        with pytest.raises(StartError, match=r"server: the running server listens on 127\.0\.0\.1 .* needs a restart"):
            sockets.get("server", made, at=(host, port_of(ours) + more))
        sockets.close()


def test_on_any_address_is_where_the_settings_name_none() -> None:
    with listen_at("0.0.0.0", 0) as ours:
        sockets = Sockets()
        sockets.inherit("metrics", ours.dup())
        sockets.get("metrics", made, at=("", port_of(ours))).close()
        sockets.close()


def test_what_was_inherited_for_nobody_is_let_go() -> None:
    sockets = Sockets({"metrics": made(), "server": made()})
    port = port_of(sockets.all()["metrics"])
    sockets.get("server", made).close()
    sockets.drop_unasked()
    assert set(sockets.all()) == {"server"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HERE, port))
    sockets.close()


def test_what_cannot_be_made_is_not_kept() -> None:
    sockets = Sockets()
    with made() as other, pytest.raises(OSError, match="in use"):
        sockets.get("server", lambda: listen_at(HERE, port_of(other)))
    assert sockets.all() == {}
    with pytest.raises(KeyError):
        sockets.again("server")


def test_it_listens_on_both_kinds_of_addresses_and_never_blocks() -> None:
    for host in (HERE, "::1"):
        with listen_at(host, 0) as sock:
            assert not sock.getblocking()
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
            with pytest.raises(BlockingIOError):
                sock.accept()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_who_knocks_is_accepted_and_sends_without_delay(host: str) -> None:
    with listen_public(host, 0) as sock:
        assert not sock.getblocking()
        with pytest.raises(BlockingIOError):
            sock.accept()
        with socket.create_connection(sock.getsockname()[:2]):
            sock.setblocking(True)
            accepted, _ = sock.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_port_of_one_that_has_just_ended_is_free() -> None:
    with listen_public("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        first.setblocking(True)
        first.accept()[0].close()  # ours closes first: it is TIME-WAIT that stays
    client.close()
    listen_public("127.0.0.1", port).close()


def test_a_port_that_another_has_is_a_reason_not_to_start() -> None:
    with listen_public("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .*in use.*--port"):
            listen_public("127.0.0.1", port)


def test_a_name_that_is_nobodys_is_a_reason_not_to_start() -> None:
    with pytest.raises(StartError, match=r"cannot listen on no-such-name\.invalid"):
        listen_public("no-such-name.invalid", 80)
