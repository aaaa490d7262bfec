"""Derive the keyed values (MACs) under which the database stores one person's rows.

**Invariant:** a person's rows are found only by values that derive from the identity; never by an IP address, which a household, a school or a town
may share.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.data.keys.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class Person:
    """Keyed values of one identity, 17 bytes each. `live`: one an epoch whose key exists, 6 at most; `requests`, `deletions`, `keys`: of the person's
    data requests.
    """

    live: tuple[bytes, ...]
    kept: bytes
    safety: bytes
    requests: bytes
    deletions: bytes
    keys: bytes

    @property
    def values(self) -> tuple[bytes, ...]:
        """Values that a hold or the audit log may name."""
        return (*self.live, self.kept, self.safety)

    def disclosures(self, pseudonyms: Pseudonyms) -> list[bytes]:
        """Return the values under which the disclosure ledger may name the person."""
        return [pseudonyms.disclosure_subject(value) for value in (*self.values, self.deletions, self.requests)]


def person(pseudonyms: Pseudonyms, identity: int) -> Person:
    """Return the values of an identity as of today. Raises ValueError for 0, which is no identity."""
    if not identity:
        raise ValueError("without an identity no person is found")
    return Person(
        tuple(pseudonyms.live_identities(identity)),
        pseudonyms.kept_identity(identity),
        pseudonyms.safety_identity(identity),
        pseudonyms.request_identity(identity),
        pseudonyms.deletion_subject(identity),
        pseudonyms.revoked_identity(identity),
    )
