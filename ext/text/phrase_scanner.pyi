from typing import Final, final

from ext.text.phrase_index import PhraseIndex

HIT: Final[int]
DIGIT: Final[int]
DOT: Final[int]
AT: Final[int]
PLUS: Final[int]
SPELLED: Final[int]
SIGNS: Final[int]
WIDE: Final[int]

@final
class PhraseScanner:
    digits: Final[int]
    def __init__(
        self,
        index: PhraseIndex,
        wanted: bytes | None = None,
        words_max: int = 128,
    ) -> None: ...
    def scan(self, text: str) -> int: ...
    def hits(self) -> list[tuple[int, int, int]]: ...
    def spans(self) -> list[tuple[int, int]]: ...
    def find(self, graph: int) -> list[tuple[int, int, int]]: ...
    def has_phrase_at(self, graph: int, place: int) -> bool: ...
