from typing import Final, final

MAGIC_NUMBER: Final[int]
HEADER_NUMBERS: Final[int]

def word_hash(word: str) -> int: ...

@final
class PhraseIndex:
    def __init__(self, buffer: bytes | memoryview) -> None: ...
    @property
    def nodes(self) -> int: ...
