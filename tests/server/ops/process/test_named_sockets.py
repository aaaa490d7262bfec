"""Listening sockets are made once, handed on with those who knock, and refused where the settings say another place."""

from __future__ import annotations

import socket

import pytest

from server.ops.process.named_sockets import Sockets, StartError, listening

HERE = "127.0.0.1"


def made() -> socket.socket:
    return listening(HERE, 0)


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
    with listening("0.0.0.0", 0) as ours:
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
        sockets.get("server", lambda: listening(HERE, port_of(other)))
    assert sockets.all() == {}
    with pytest.raises(KeyError):
        sockets.again("server")


def test_it_listens_on_both_kinds_of_addresses_and_never_blocks() -> None:
    for host in (HERE, "::1"):
        with listening(host, 0) as sock:
            assert not sock.getblocking()
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
            with pytest.raises(BlockingIOError):
                sock.accept()
