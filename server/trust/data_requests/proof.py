"""What a proof opens. Rule: possession alone proves; no name, no card, no address, and nobody is asked for one.

Level 3 is the browser's cookie or a rights key, and an agent's code within its scope; level 2 the delete address of a saved log,
which opens that log and nothing else of the person; level 0 is everybody.
"""

from __future__ import annotations

from dataclasses import dataclass

KNOW = "know"
DELETE = "delete"
MANAGE = "manage"  # keys, codes, restriction, objection: never an agent's
WHOLE = frozenset({KNOW, DELETE, MANAGE})
AGENT = frozenset({KNOW, DELETE})  # what a code may be made for


@dataclass(frozen=True, slots=True)
class Proved:
    """Who asks. `identity`: 0 at level 2; `code`: of an agent, as it is stored; `number`: the request that it was used for already."""

    identity: int
    level: int
    scope: frozenset[str]
    code: bytes = b""
    number: str = ""

    def may(self, scope: str) -> bool:
        """Whether this proof opens something. An agent's code that was used opens its own request alone."""
        return self.level == 3 and scope in self.scope and not self.number
