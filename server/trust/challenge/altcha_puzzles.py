"""Make and verify ALTCHA puzzles: proof of work in the browser, without a third party.

**Invariant:** a puzzle is valid for one session and one level, for ten minutes, and is accepted once.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import altcha

from ext.base.ageing_map import AgeingMap

KIND: Final = "PBKDF2/SHA-256"
COST: Final = 5_000  # rounds of one try: a millisecond of a desktop
TRIES: Final = {1: (40, 120), 2: (250, 750), 3: (1_000, 2_000)}  # level → least and most tries
LIFE: Final = 600  # seconds
USED_MAX: Final = 100_000  # solved puzzles remembered


class Puzzles:
    """Puzzles of one process. `key`: 32 bytes, the same in all processes of a service; `clock`: Unix seconds.

    Puzzles stop floods from few machines, not an attacker with a budget, and are never a proof of a person. A solved puzzle is remembered until it
    expires, because the library accepts it twice; when no more can be remembered, no puzzle is made, and none is forgotten.
    """

    def __init__(
        self, key: bytes, clock: Callable[[], float] = time.time, cost: int = COST, most: int = USED_MAX
    ) -> None:
        self._sign, self._derive = key[:16], key[16:]
        self._clock = clock
        self._cost = cost
        self._used: AgeingMap[str, None] = AgeingMap(most)  # signatures of solved puzzles, until they expire

    @property
    def full(self) -> bool:
        """Whether no more solved ones can be remembered."""
        self._used.expire(self._clock())
        return self._used.is_full

    def make(self, session: int, level: int) -> dict[str, Any]:
        """Return the `parameters` of a `challenge`. Blocks for a millisecond: call it in a thread."""
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
        except Exception:  # noqa: BLE001 - untrusted input: the library raises many kinds of errors
            return False
        parameters, signature = solved.challenge.parameters, solved.challenge.signature
        if not verdict.verified or parameters.data != {"s": f"{session:x}", "l": level} or signature is None:
            return False
        expires = parameters.expires_at
        if expires is None or expires <= self._clock() or signature in self._used or self.full:
            return False
        self._used.put(signature, None, expires)
        return True
