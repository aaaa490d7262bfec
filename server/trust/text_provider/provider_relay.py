"""Ask a server about lines, as a provider: it reads questions from standard input, posts those that wait together, and writes the answers.

`python -m server.trust.text_provider.provider_relay PARENT URL`. The body of a request is the questions, one JSON document a line, and that of the
answer the server's answers (`provider_protocol`). **Invariant:** the server gets lines and numbers of this process, and nothing about users. No
redirection is followed; a refusal, a fault or an answer that is too long ends this process, which is started again after a pause. Standard error
says why, which a server discards and `serendip check` shows.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, Final

from server.ops.process.process_jail import MIB, client_jail, confine
from server.trust.text_provider.provider_protocol import ANSWER_MAX, PIECE, say_begun

MEMORY: Final = 512 * MIB
AT_ONCE: Final = 64  # questions of a request
PATIENCE: Final = 30.0  # seconds for a part of an answer; the provider process has less
CONTENT: Final = "application/x-ndjson"


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirections: lines are sent to the server that the operator named."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def serve(url: str, key: str, opener: urllib.request.OpenerDirector) -> None:
    """Answer until standard input ends. Raises OSError, ValueError."""
    unread = b""
    while piece := os.read(0, PIECE):
        *questions, unread = (unread + piece).split(b"\n")
        for start in range(0, len(questions), AT_ONCE):
            body = b"".join(one + b"\n" for one in questions[start : start + AT_ONCE])
            answer = ask(url, key, opener, body)
            while answer:
                answer = answer[os.write(1, answer) :]


def ask(url: str, key: str, opener: urllib.request.OpenerDirector, body: bytes) -> bytes:
    """Return the answers of the server to questions, each a line. Raises OSError, ValueError."""
    head = {"Content-Type": CONTENT, "Accept": CONTENT, "User-Agent": "serendip"}
    if key:
        head["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, body, head)  # noqa: S310 - settings allow http and https alone
    with opener.open(request, timeout=PATIENCE) as answer:
        most = ANSWER_MAX * AT_ONCE
        found: bytes = answer.read(most + 1)
    if len(found) > most:
        raise ValueError("an answer that is too long")
    return found if found.endswith(b"\n") or not found else found + b"\n"


def main(arguments: Sequence[str]) -> int:
    """Run it."""
    parent, url = arguments
    key = os.environ.get("PROVIDER_KEY", "")
    handlers = (
        NoRedirects,
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
    )
    opener = urllib.request.build_opener(*handlers)
    socket.getaddrinfo("localhost", 80)  # loads what looks up names
    "localhost".encode("idna")
    say_begun(confine(client_jail(int(parent), MEMORY)))
    try:
        serve(url, key, opener)
    except (OSError, ValueError, http.client.HTTPException) as error:
        sys.stderr.write(f"{url}: {error!r}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
