"""Attack by connections alone: many, slow, short, half closed. Each function returns how often it did its act."""

import contextlib
import socket
import time

from bench.attacks.attack_sockets import Aim, drained, pour
from bench.load.websocket_client import HEAD, framed

CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def none(aim: Aim) -> int:
    """Do nothing: the cost of the bench itself."""
    aim.rest()
    return 0


def silent(aim: Aim) -> int:
    """5,000 connections of one address that never send a head; those that are ended come again."""
    held = [sock for sock in (_tcp(aim, 0) for _ in range(5_000)) if sock is not None]
    aim.rest()
    return len(held)


def heads(aim: Aim) -> int:
    """1,000 heads of one address, a byte a second each."""
    held = [sock for sock in (_tcp(aim, 0) for _ in range(1_000)) if sock is not None]
    at = 0
    while not aim.over():
        for sock in held:
            with contextlib.suppress(OSError):
                sock.send(HEAD[at : at + 1])
        at += 1
        time.sleep(1)
    return len(held)


def bodies(aim: Aim) -> int:
    """1,000 bodies of ten addresses that stop after a byte."""
    begun = b"POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\ni"
    held = [sock for sock in (_tcp(aim, number % 10) for number in range(1_000)) if sock is not None]
    for sock in held:
        with contextlib.suppress(OSError):
            sock.send(begun)
    aim.rest()
    return len(held)


def untaken(aim: Aim) -> int:
    """300 of ten addresses that ask for pages and take no answer."""
    held = [sock for sock in (_tcp(aim, number % 10, 4096) for number in range(300)) if sock is not None]
    return pour(aim, held, REQUEST * 20, read=False, pause=0.05)


def churn(aim: Aim) -> int:
    """Connect, upgrade, be gone, from one address."""
    return _churn(aim, 1)


def churn_everywhere(aim: Aim) -> int:
    """Connect, upgrade, be gone, each time from another address."""
    return _churn(aim, 13_000_000)


def closes(aim: Aim) -> int:
    """Begin 2,000 closing handshakes from 100 addresses and do nothing more."""
    held = aim.many(2_000, 100)
    for sock in held:
        with contextlib.suppress(OSError):
            sock.send(CLOSE)
    aim.rest()
    return len(held)


def bytewise(aim: Aim) -> int:
    """Send a frame of 64 KiB, one packet per byte."""
    data = framed(b'{"type":"message","text":"' + b"x" * 60_000 + b'"}')
    sent = 0
    while not aim.over():
        with contextlib.suppress(OSError), aim.ws() as sock:
            sock.setblocking(False)
            while not aim.over() and drained(sock):
                with contextlib.suppress(BlockingIOError):
                    sent += sock.send(data[sent % len(data) : sent % len(data) + 1])
    return sent


def _tcp(aim: Aim, who: int, room: int = 0) -> socket.socket | None:
    if aim.over():
        return None
    try:
        return aim.tcp(who, room)
    except OSError:
        return None


def _churn(aim: Aim, people: int) -> int:
    done = 0
    while not aim.over():
        with contextlib.suppress(OSError), aim.tcp(done % people) as sock:
            sock.sendall(HEAD)
            sock.recv(4096)
        done += 1
    return done
