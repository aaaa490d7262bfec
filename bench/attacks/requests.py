"""Attack by HTTP requests: pages, saved logs, variants of the path `/ws`, Omegle's protocol. Each function returns how many requests it sent."""

import contextlib
import itertools
import json
import socket
import urllib.parse

from bench.attacks.attack_sockets import SAY, Aim, pour, until
from bench.attacks.frames import FIND
from bench.load.websocket_client import HEAD, framed

HOST = b"Host: 127.0.0.1\r\n"


def pages(aim: Aim) -> int:
    """`GET /` of 38 connections, as fast as it is answered."""
    return pour(aim, _socks(aim, 38), b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")


def logs(aim: Aim) -> int:
    """One saved log of 300 KB, read by eight connections again and again."""
    ((one, two),) = aim.pairs(1, 1, FIND)
    for _ in range(9):
        one.sendall(framed(SAY % (b"x" * 1_900)) * 10)
        two.sendall(framed(SAY % (b"x" * 1_900)) * 10)
    one.sendall(framed(b'{"type":"save"}'))
    data = b""
    with contextlib.suppress(OSError):
        while b'"url":"' not in data or b'"delete"' not in data:
            data = data[-200:] + one.recv(65536)
    path = data.partition(b'"url":"')[2].partition(b'"')[0]
    if not path:
        return 0
    return pour(aim, _socks(aim, 8), b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")


def encoded(aim: Aim) -> int:
    """`/%77s`, which one reader takes for `/ws` and another not, of 20 connections behind a trusted proxy."""
    packet = HEAD.replace(b"/ws", b"/%77s").replace(b"Host", b"X-Forwarded-For: 198.51.100.7\r\nHost")
    return pour(aim, _socks(aim, 20), packet, pause=0.2)


def pipelined(aim: Aim) -> int:
    """An upgrade behind a slow request, with 700 KB behind it; 40 addresses."""
    slow = b"POST /events HTTP/1.1\r\n" + HOST + b"Content-Length: 11\r\n\r\nid=nobody:1"
    done = 0
    while not aim.over():
        with contextlib.suppress(OSError), aim.tcp(done % 40) as sock:
            sock.settimeout(0.5)
            sock.sendall(slow + HEAD + b"x" * 700_000)
        done += 1
    return done


def polls(aim: Aim) -> int:
    """Polls of the Omegle face without a pause, of 20 clients."""
    socks, packets = [], []
    for sock in _socks(aim, 20):
        sock.sendall(_post("/start?lang=gv"))
        with contextlib.suppress(OSError):
            id = sock.recv(65536).rpartition(b"\r\n\r\n")[2].strip(b'"\n').decode()
            packets.append(_post("/events", id=id))
            socks.append(sock)
    return pour(aim, socks, *packets)


def starts(aim: Aim) -> int:
    """Starts of the Omegle face, each of a new address with 32 new topics."""
    numbers, done = itertools.count(), 0
    while not aim.over():
        topics = json.dumps([f"topic {next(numbers)}" for _ in range(32)])
        with contextlib.suppress(OSError), aim.tcp(done) as sock:
            sock.sendall(_post("/start", topics=topics, lang="gv"))
            until(sock, b"\r\n\r\n")
        done += 1
    return done


def long_polls(aim: Aim) -> int:
    """Long polls without a pause, of 20 clients that confirm nothing, so that each is answered at once."""
    socks, packets = [], []
    for sock in _socks(aim, 20):
        if id := _opened(sock):
            packets.append(b"GET /api/poll/%s?after=0 HTTP/1.1\r\n" % id + HOST + b"\r\n")
            socks.append(sock)
    return pour(aim, socks, *packets)


def forgotten_polls(aim: Aim) -> int:
    """Clients of long polling that are opened and never read, each of a new address, while there is room."""
    done = 0
    while not aim.over():
        with contextlib.suppress(OSError), aim.tcp(done) as sock:
            done += bool(_opened(sock))
    return done


def _opened(sock: socket.socket) -> bytes:
    """Open a client of long polling; return its id, or nothing if it was refused."""
    sock.sendall(b"POST /api/poll HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
    found = b""
    with contextlib.suppress(OSError):
        while b"}" not in found and (part := sock.recv(65536)):
            found += part
    return found.partition(b'"id": "')[2].partition(b'"')[0]


def _post(path: str, **fields: str) -> bytes:
    body = urllib.parse.urlencode(fields).encode()
    return f"POST {path} HTTP/1.1\r\n".encode() + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _socks(aim: Aim, number: int) -> list[socket.socket]:
    found = []
    for _ in range(number):
        with contextlib.suppress(OSError):
            found.append(aim.tcp())
    return found
