"""Under which stored values one person is found. Rule: a person is looked up by identity, by index, and by nothing else.

An address is never enough: a household, a school or a town may share it.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.store.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class Person:
    """The keyed values of one identity. `live`: one an epoch whose key exists, 6 at most; all 17 bytes."""

    live: tuple[bytes, ...]
    kept: bytes
    safety: bytes

    @property
    def values(self) -> tuple[bytes, ...]:
        """All of them."""
        return (*self.live, self.kept, self.safety)


def person(pseudonyms: Pseudonyms, identity: int) -> Person:
    """The values of an identity as they stand today. Raises ValueError for 0, which is nobody."""
    if not identity:
        raise ValueError("without an identity nobody is found")
    return Person(
        tuple(pseudonyms.live_identities(identity)),
        pseudonyms.kept_identity(identity),
        pseudonyms.safety_identity(identity),
    )
