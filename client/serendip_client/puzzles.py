"""Solve the proof-of-work puzzles that a server may require before a search: ALTCHA version 2, PBKDF2 (docs/protocol.md, "Challenges").

**Invariant:** one puzzle is solved at a time, in a thread, with at most `TRIES_MAX` tries of `COST_MAX` rounds each.
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
COST_MAX: Final = 20_000  # rounds of a try; a Serendip server requires 5,000
TRIES_MAX: Final = 10_000  # a Serendip server requires 2,000 at most
DIGESTS: Final = {"PBKDF2/SHA-256": "sha256", "PBKDF2/SHA-384": "sha384", "PBKDF2/SHA-512": "sha512"}


class Puzzles:
    """Puzzle solver of one client. `answer(kind, response)` sends a solution; `fail` receives a puzzle that cannot be solved here."""

    def __init__(
        self, answer: Callable[[str, str], Awaitable[None]], fail: Callable[[Challenge], Awaitable[None]]
    ) -> None:
        self._answer = answer
        self._fail = fail
        self._task: asyncio.Task[None] | None = None
        self.open = False  # a puzzle was received, and the server has not confirmed its solution yet

    def begin(self, asked: Challenge) -> None:
        """Start to solve a puzzle; an earlier one is abandoned."""
        self.open = True
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._solve(asked))

    async def close(self) -> None:
        """Stop solving."""
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
            pass  # the client is ending, and reports why


def solution(challenge: Mapping[str, Any], stop: threading.Event) -> str | None:
    """Return the `response` to a challenge's `parameters`; None if it cannot be solved here, or `stop` is set. Blocks for up to seconds."""
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
