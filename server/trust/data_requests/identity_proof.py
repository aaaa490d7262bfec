"""Define the proofs of identity in a data request, and what each of them allows.

**Invariant:** the proof is possession of a secret; no name, document or IP address is ever requested.
"""

from __future__ import annotations

from dataclasses import dataclass

KNOW = "know"
DELETE = "delete"
MANAGE = "manage"  # keys, codes, restriction, objection: never for an agent
WHOLE = frozenset({KNOW, DELETE, MANAGE})
AGENT = frozenset({KNOW, DELETE})  # scopes that a code may have


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified proof. `identity`: 0 at level 2; `code`: of an agent, as stored; `number`: the request that it was used for already.

    Level 3 is the browser's cookie, a rights key, or an authorised agent's code within its scope; level 2 the deletion URL of a saved log, which
    opens that log and nothing else of the person; level 0 is no proof. There is no level 1.
    """

    identity: int
    level: int
    scope: frozenset[str]
    code: bytes = b""
    number: str = ""

    def may(self, scope: str) -> bool:
        """Whether this proof opens a scope. An agent's used code opens its own request alone."""
        return self.level == 3 and scope in self.scope and not self.number
