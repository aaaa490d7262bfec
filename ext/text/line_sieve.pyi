from typing import Final, final

from ext.net.similarity import Shingles
from ext.net.tap import Tapped
from ext.text.hashed_classifier import HashedClassifier
from ext.text.phrase_scanner import PhraseScanner

FOLDS: Final[int]
SKIPPED: Final[int]

@final
class FirstLines:
    def __init__(self, first: int, room: int) -> None: ...
    def add(self, chat: int, side: int) -> bool: ...
    def clear(self) -> None: ...
    def __len__(self) -> int: ...

@final
class LineSieve:
    taken: Final[int]
    settled: Final[int]
    modelled: Final[int]
    model_work: Final[int]
    began: Final[float]
    def __init__(
        self,
        tapped: Tapped,
        writers: FirstLines,
        table: Shingles,
        folds: bytes,
        line_max: int,
        letters_min: int,
    ) -> None: ...
    def use(self, own: PhraseScanner, added: PhraseScanner | None, model: HashedClassifier | None) -> None: ...
    def pass_all(self) -> None: ...
    def take(
        self, most: int, returned_max: int, model_work: int, now: float, since: float
    ) -> list[tuple[int, int, int, float, bytes, bool]]: ...
    def is_settled(self, line: bytes) -> bool: ...
