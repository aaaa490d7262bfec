from collections.abc import Sequence
from typing import Any

from ext.match.interner import Ids, Interner

FULL: int  # among the handles of `submit_batch`: no room for another ticket
LISTS_FULL: int  # no room for another list

_Found = tuple[int, tuple[int, ...], float, float, str]

def alive() -> dict[str, int]: ...
def variants() -> tuple[str, ...]: ...

class Matcher:
    most_postings: int
    most_tickets: int
    variant: str
    def __init__(
        self,
        capacity: int = 1_000_000,
        *,
        lists: int | None = None,
        interner: Interner | None = None,
        table_from: int = 262_144,
        log: int = 65_536,
        most_postings: int = 16_384,
        most_tickets: int = 128,
        near: float = 0.0,
        seed: int = 0,
        variant: str | None = None,
    ) -> None: ...
    def __len__(self) -> int: ...
    def pool(self) -> int: ...
    def waiting(self, pool: int) -> int: ...
    def submit(
        self,
        client: int,
        pool: int,
        ids: Ids | Sequence[int],
        level: int,
        since: float,
        person: int = 0,
        recent: tuple[int, ...] = (),
        blocked: tuple[int, ...] = (),
        quiet: bool = False,
        also: tuple[int, ...] = (),
        exact: bool = False,
        look: bool = True,
        floor: int = 0,
        place: int = 0,
        home: int = 0,
    ) -> int | _Found: ...
    def retry(
        self,
        handle: int,
        level: int,
        quiet: bool = False,
        also: tuple[int, ...] = (),
        exact: bool = False,
        floor: int = 0,
    ) -> _Found | None: ...
    def remove(self, handle: int) -> bool: ...
    def tidy(self, steps: int = 1000) -> None: ...
    def counts(self) -> dict[str, int]: ...
    def memory(self) -> dict[str, int]: ...
    def dump(self, what: str, number: int) -> str: ...
    def submit_batch(
        self,
        pools: Any,
        offsets: Any,
        interests: Any,
        partner: Any,
        handle: Any,
        score: Any,
        *,
        clients: Any = None,
        persons: Any = None,
        recents: Any = None,
        levels: Any = None,
        now: float = 0.0,
        hold: bool = False,
        exact: bool = False,
        quiet: bool = False,
        only_insert: bool = False,
        cycles: Any = None,
    ) -> int: ...
    def remove_batch(self, handles: Any) -> int: ...
