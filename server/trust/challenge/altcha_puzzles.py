"""ALTCHA's puzzles: work for a browser, which asks no other company. Rule: of one session and level, good for ten minutes, and once.

They stop floods from few machines, and nobody with a budget: never a proof of a person. What was solved is remembered until it expires, for
the library takes it twice; where no more of that can be remembered, no puzzle is made, and nothing is forgotten.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import altcha

KIND: Final = "PBKDF2/SHA-256"
COST: Final = 5_000  # rounds of one try: a millisecond of a desktop
TRIES: Final = {1: (40, 120), 2: (250, 750), 3: (1_000, 2_000)}  # by level: the least and the most that it takes
LIFE: Final = 600  # seconds
USED_MAX: Final = 100_000  # solved ones that are remembered


class Puzzles:
    """Of one process. `key`: 32 bytes, the same in all processes of a service; `clock`: Unix seconds."""

    def __init__(
        self, key: bytes, clock: Callable[[], float] = time.time, cost: int = COST, most: int = USED_MAX
    ) -> None:
        self._sign, self._derive = key[:16], key[16:]
        self._clock = clock
        self._cost = cost
        self._most = most
        self._used: OrderedDict[str, int] = OrderedDict()  # signature: when it expires

    @property
    def full(self) -> bool:
        """Whether no more solved ones can be remembered."""
        self._sweep()
        return len(self._used) >= self._most

    def make(self, session: int, level: int) -> dict[str, Any]:
        """`parameters` of a `challenge`. Blocks for a millisecond: call it in a thread."""
        least, most = TRIES[level]
        made = altcha.create_challenge(
            KIND,
            self._cost,
            counter=least + secrets.randbelow(most - least + 1),
            expires_at=int(self._clock()) + LIFE,
            data={"s": f"{session:x}", "l": level},
            hmac_secret=self._sign,
            hmac_key_secret=self._derive,
        )
        return made.to_dict()

    def right(self, session: int, level: int, response: str) -> bool:
        """Whether `response` solves a puzzle of this session and level that was not solved before."""
        try:
            solved = altcha.Payload.from_base64(response)
            verdict = altcha.verify_solution(solved, self._sign, hmac_key_secret=self._derive)
        except Exception:  # noqa: BLE001 - a stranger wrote it, and the library says in many ways that it cannot read it
            return False
        parameters, signature = solved.challenge.parameters, solved.challenge.signature
        if not verdict.verified or parameters.data != {"s": f"{session:x}", "l": level} or signature is None:
            return False
        expires = parameters.expires_at
        if expires is None or expires <= self._clock() or signature in self._used or self.full:
            return False
        self._used[signature] = expires
        return True

    def _sweep(self) -> None:
        now = self._clock()
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
