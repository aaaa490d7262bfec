"""Solves the puzzles that a server asks for before a search: ALTCHA, version 2, PBKDF2 (docs/protocol.md, "Challenges").

Invariant: at most one is worked on, in a thread, and never for longer than `TRIES_MAX` tries of `COST_MAX` rounds.
"""

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from serendip_client.events import Challenge

ALTCHA: Final = "altcha"
COST_MAX: Final = 20_000  # rounds of a try; a server of ours asks for 5,000
TRIES_MAX: Final = 10_000  # a server of ours asks for 2,000 at most
DIGESTS: Final = {"PBKDF2/SHA-256": "sha256", "PBKDF2/SHA-384": "sha384", "PBKDF2/SHA-512": "sha512"}


class Puzzles:
    """Of one client. `answer(kind, response)` sends a solution; `fail` gets a puzzle that this client cannot solve."""

    def __init__(
        self, answer: Callable[[str, str], Awaitable[None]], fail: Callable[[Challenge], Awaitable[None]]
    ) -> None:
        self._answer = answer
        self._fail = fail
        self._task: asyncio.Task[None] | None = None
        self.open = False  # one was asked for, and the server did not say yet that it is solved

    def begin(self, asked: Challenge) -> None:
        """Work on a puzzle; one that was worked on is forgotten."""
        self.open = True
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._solve(asked))

    async def close(self) -> None:
        """Work on none any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _solve(self, asked: Challenge) -> None:
        stop = threading.Event()
        try:
            response = await asyncio.to_thread(solution, asked.parameters, stop)
        finally:
            stop.set()
        try:
            if response is None:
                self.open = False
                await self._fail(asked)
            else:
                await self._answer(asked.kind, response)
        except ConnectionError:
            pass  # the client is at its end, and says why


def solution(challenge: Mapping[str, Any], stop: threading.Event) -> str | None:
    """The `response` to a challenge's `parameters`; None if it is none that can be solved here, or `stop` is set. Blocks for up to seconds."""
    try:
        asked = challenge["parameters"]
        digest, cost, size = DIGESTS[asked["algorithm"]], int(asked["cost"]), int(asked["keyLength"])
        nonce, salt, prefix = (
            bytes.fromhex(asked["nonce"]),
            bytes.fromhex(asked["salt"]),
            str(asked["keyPrefix"]).lower(),
        )
    except (LookupError, TypeError, ValueError):
        return None
    if not (0 < cost <= COST_MAX and 0 < size <= 64):
        return None
    for counter in range(TRIES_MAX):
        if stop.is_set():
            return None
        key = hashlib.pbkdf2_hmac(digest, nonce + counter.to_bytes(4, "big"), salt, cost, size).hex()
        if key.startswith(prefix):
            solved = {"challenge": dict(challenge), "solution": {"counter": counter, "derivedKey": key}}
            return base64.b64encode(json.dumps(solved).encode()).decode()
    return None
