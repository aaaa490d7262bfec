"""What a worker asks where nobody is there to answer: no store, no other process. Rule: the answer of an empty service."""

from collections.abc import Mapping
from typing import Any


def nobody_banned(_identity: int, _address: str) -> None:
    """Where nothing is kept, nobody is banned."""


def nothing_unseen(_identity: int, _session: int) -> None:
    """Where nothing is kept, nobody has a notice to read."""


def nothing_said() -> Mapping[str, Any] | None:
    """Where no statement of privacy is published."""
    return None


def never_given(_identity: int, _session: int, _id: str) -> bool:
    """Of no notice."""
    return False


def nobody_else(_identity: int, _stands: str, _age: int) -> None:
    """There is no other process."""


def nothing_asked(_session: int) -> None:
    """Where nothing is kept, nobody waits for it."""
