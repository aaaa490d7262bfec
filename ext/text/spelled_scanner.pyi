from typing import final

from ext.text.phrase_scanner import PhraseScanner

@final
class SpelledScanner:
    def __init__(self, plain: PhraseScanner) -> None: ...
    def scan(self) -> list[tuple[int, int, int]]: ...
