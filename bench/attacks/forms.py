"""Attack by what the pages about rights, appeals and notices compute and store, from an ever new network. Each function returns how many requests
were answered.
"""

import contextlib
import itertools
import json
import re
import secrets
import time
import urllib.parse
from collections.abc import Callable
from typing import Final

from bench.attacks.attack_sockets import SAY, Aim
from bench.attacks.frames import FIND
from bench.load.websocket_client import framed

NETWORK: Final = 250  # numbers of `address` that one /24 has
TOKEN: Final = re.compile(rb'name="token" value="([^"]+)"')
LINES_A_SECOND: Final = 19  # of one user: the limit allows 20
LENGTHENED: Final = "\ufdfa"  # one character that NFKC makes 18
WORDS: Final = "a request that a person must read " * 50


def tickets(aim: Aim) -> int:
    """Requests without a proof."""
    return _asked(aim, lambda who: _act(aim, who, "ticket", kind="complaint", text=WORDS, contact="nobody@example.org"))


def own_data(aim: Aim) -> int:
    """Requests to see their data, by visitors of whom none is kept."""
    return _asked(aim, lambda who: _act(aim, who, "see"))


def wrong_keys(aim: Aim) -> int:
    """Keys that open nothing."""
    body = json.dumps({"kind": "know"})
    return _asked(
        aim,
        lambda who: _request(aim, who, "/api/rights", body, f"Authorization: Bearer {secrets.token_urlsafe(24)}\r\n"),
    )


def appeals(aim: Aim) -> int:
    """Appeals by addresses that do not exist."""
    body = urllib.parse.urlencode({"words": WORDS})
    return _asked(aim, lambda who: _request(aim, who, f"/appeal/{secrets.token_urlsafe(16)}", body))


def notices(aim: Aim) -> int:
    """Notices of 2,000 characters."""
    body = urllib.parse.urlencode({"kind": "other", "about": "a line", "words": "x" * 2_000, "contact": ""})
    return _asked(aim, lambda who: _request(aim, who, "/notice", body))


def long_folds(aim: Aim) -> int:
    """Lines of one writer that are eighteen times as long once they are normalised for screening."""
    ((one, _),) = aim.pairs(1, 1, FIND) or ((None, None),)
    line, sent = framed(SAY % (LENGTHENED * 2_000).encode()), 0
    while one is not None and not aim.over():
        with contextlib.suppress(OSError):
            one.sendall(line)
            sent += 1
        time.sleep(1 / LINES_A_SECOND)
    return sent


def _asked(aim: Aim, ask: Callable[[int], bytes]) -> int:
    """Ask from one network after the other; return how often there was an answer."""
    done = 0
    for turn in itertools.count():
        if aim.over():
            return done
        with contextlib.suppress(OSError):
            done += ask(turn * NETWORK).startswith(b"HTTP/1.1 ")
    return done


def _act(aim: Aim, who: int, act: str, **fields: str) -> bytes:
    """Send a form of `/privacy/request` as a new visitor, with the token of its page."""
    cookie = f"Cookie: id={secrets.token_urlsafe(16)}\r\n"
    found = TOKEN.search(_request(aim, who, "/privacy/request", None, cookie))
    if found is None:
        return b""
    body = urllib.parse.urlencode({"token": found[1].decode(), "proof": "", **fields})
    return _request(aim, who, f"/privacy/request/{act}", body, cookie)


def _request(aim: Aim, who: int, path: str, body: str | None, more: str = "") -> bytes:
    """Return the whole answer to a request on a connection of its own; `body`: of a POST, None: a GET."""
    kind = "application/json" if body and body.startswith("{") else "application/x-www-form-urlencoded"
    method = "GET" if body is None else "POST"
    sent = "" if body is None else f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{more}{sent}\r\n"
    answer = b""
    with aim.tcp(who) as sock:
        sock.sendall((head + (body or "")).encode())
        while part := sock.recv(65_536):
            answer += part
    return answer
