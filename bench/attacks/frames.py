"""Attack over open connections by the frames that are sent: floods, large frames, unusual but valid encodings of them. Each function returns how
often it sent its frames."""

import itertools
import struct

from bench.attacks.attack_sockets import PATIENCE, SAY, Aim, drained, pour
from bench.load.websocket_client import framed

FIND = b'{"type":"find","interests":["%d"],"language":"ga"}'
LONG = framed(SAY % (b"x" * 1_900)) * 4


def finds(aim: Aim) -> int:
    """20 times `find` and `leave` a packet, of 100 connections."""
    packet = (framed(b'{"type":"find","interests":["a","b"]}') + framed(b'{"type":"leave"}')) * 20
    return pour(aim, aim.many(100), packet)


def interests(aim: Aim) -> int:
    """`find` with interests that are slow to normalise, of 98 connections of one address."""
    word = "\\ufdfa" * 3 + "\\u200b" * 253
    packet = framed(
        ('{"type":"find","interests":[' + ",".join([f'"{word}{number}"' for number in range(8)]) + "]}").encode()
    )
    return pour(aim, aim.many(98), packet)


def languages(aim: Aim) -> int:
    """Every language of two and three letters, of ten addresses: each `find` names another."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = itertools.cycle("".join(part) for size in (2, 3) for part in itertools.product(letters, repeat=size))
    socks, sent = aim.many(500, 10), 0
    while socks and not aim.over():
        for sock in socks[:]:
            packet = b"".join(framed(b'{"type":"find","language":"%s"}' % next(names).encode()) for _ in range(10))
            try:
                sock.sendall(packet)
                sock.setblocking(False)
                sent += drained(sock)
                sock.settimeout(PATIENCE)
            except OSError:
                socks.remove(sock)
                sock.close()
    return sent


def deaf(aim: Aim) -> int:
    """Send long lines in 20 pairs whose partners read nothing."""
    pairs = aim.pairs(20, 10, FIND, 4096)
    return pour(aim, [one for one, _ in pairs], LONG)


def halves(aim: Aim) -> int:
    """Hold 1,000 messages from 100 addresses of which all but the end was sent."""
    data = struct.pack(">BBH4x", 0x01, 0xFE, 65_000) + b" " * 65_000
    socks = aim.many(1_000, 100)
    for sock in socks:
        sock.settimeout(0.2)
        try:
            sock.sendall(data)
        except OSError:
            sock.close()
    aim.rest()
    return len(socks)


def continuations(aim: Aim) -> int:
    """Pieces without content, without end, of 20 connections."""
    socks = aim.many(20)
    for sock in socks:
        sock.send(b"\x01\x80\0\0\0\0")
    return pour(aim, socks, b"\x00\x80\0\0\0\0" * 1_000)


def pings(aim: Aim) -> int:
    """Pings of 125 bytes, whose answers are not taken."""
    return pour(aim, aim.many(20, 2, 4096), (b"\x89\xfd\0\0\0\0" + b"x" * 125) * 50, read=False, pause=0.001)


def surrogates(aim: Aim) -> int:
    """JSON of 63 KB with half characters, which two parsers read."""
    return pour(aim, aim.many(20), framed(b'{"type":"message","text":"' + b"\\ud800" * 10_500 + b'"}'))


def deep(aim: Aim) -> int:
    """JSON of 30,000 brackets."""
    return pour(aim, aim.many(20), framed(b"[" * 30_000 + b"]" * 30_000))


def typing(aim: Aim) -> int:
    """Typing signs of 20 pairs, as many as go."""
    packet = framed(b'{"type":"typing","typing":true}') * 50
    return pour(aim, [sock for pair in aim.pairs(20, 10, FIND) for sock in pair], packet)


def lines(aim: Aim) -> int:
    """Lines of 20 pairs, as many as go."""
    return pour(aim, [sock for pair in aim.pairs(20, 10, FIND) for sock in pair], framed(SAY % b"hello") * 50)


def spies(aim: Aim) -> int:
    """Spies with new questions, of 100 connections of ten addresses."""
    packet = framed(b'{"type":"find","role":"spy","question":"Is a hot dog a sandwich?","share":true}') + framed(
        b'{"type":"leave"}'
    )
    return pour(aim, aim.many(100, 10), packet)


def reports(aim: Aim) -> int:
    """Reports of 40 pairs, one after the other."""
    packet = framed(b'{"type":"report","reason":"spam","note":"%s"}' % (b"x" * 900))
    return pour(aim, [one for one, _ in aim.pairs(40, 20, FIND)], packet)


def saves(aim: Aim) -> int:
    """40 connections of one address chat, talk much, save, and begin anew."""
    pairs = aim.pairs(20, 1, FIND)
    packet = framed(SAY % (b"0123456789 abcdefghij" * 90)) * 18 + framed(b'{"type":"save"}') * 3
    return pour(aim, [one for one, _ in pairs], packet, pause=0.05)


def signals(aim: Aim) -> int:
    """Video chats that hide the address: descriptions of 31 KB of colons."""
    find = b'{"type":"find","mode":"video","relay":true,"interests":["%d"],"language":"ga"}'
    sdp = b"v=0\\r\\na=x:" + b":" * 31_000
    packet = framed(b'{"type":"signal","description":{"type":"offer","sdp":"' + sdp + b'"}}')
    return pour(aim, [one for one, _ in aim.pairs(4, 2, find)], packet)
