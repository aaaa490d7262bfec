"""Simulate a server that scores pictures on loopback, for `pictures.provider=http`. Invariant: requests are recorded; no picture is examined.

`wrong`: a status and a body in place of each answer; `hold` delays answers.
"""

import json
from typing import Any

from tests.support.stub import Answering, Stub


class Moderation(Stub):
    """The simulated server. `score`: its score for each picture; `key`: the only one that it accepts, if any."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.score = 0.5
        self.wrong: tuple[int, bytes] | None = None
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        server = self

        class Handler(Answering):
            def do_POST(self) -> None:
                server.asked.append(json.loads(self.body()))
                server.heads.append(dict(self.headers.items()))
                server.open.wait(60)
                denied = server.key and self.headers.get("Authorization") != f"Bearer {server.key}"
                status, body = server.wrong or (
                    (401, b"") if denied else (200, json.dumps({"score": server.score}).encode())
                )
                self.give(status, body, Location="/elsewhere")

        super().__init__(Handler)
        self.url += "/score"
