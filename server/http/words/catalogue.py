"""Look up translated sentences by key and language.

**Invariant:** a sentence without a translation is given in English, and its key is in `missing`.
"""

# The compiled catalogues (`server.http.words.compiled_catalogues`) are read if they are current, otherwise the .po files
# (`server.http.words.po_files`): both have the same content.

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.http.words.compiled_catalogues import ENGLISH as ENGLISH
from server.http.words.compiled_catalogues import FOLDER as FOLDER
from server.http.words.compiled_catalogues import Word as Word
from server.http.words.compiled_catalogues import load

BRAND: Final = "Serendip"  # the project's name in the sentences, which an installation may replace by its own


@dataclass(frozen=True, slots=True)
class Words:
    """A language: every key of the source, with English in place of `missing` ones. `name`: in the language itself."""

    language: str
    name: str
    direction: str
    table: dict[str, Word]
    missing: frozenset[str]

    def said(self, keys: Iterable[str]) -> dict[str, Word]:
        """Return the part of the table with these keys, in their order."""
        return {key: self.table[key] for key in keys}


@functools.cache
def _everything(folder: Path) -> Mapping[str, Any]:
    there = load(folder)
    if there is None:
        from server.http.words.po_files import everything

        return everything(folder)
    return there


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """List the languages with a catalogue, English first."""
    return tuple(_everything(folder)["languages"])


@functools.cache
def words(folder: Path = FOLDER) -> dict[str, Words]:
    """Return all languages, English first. It reads files: call it once, before the loop runs."""
    return {
        language: Words(language, one["name"], one["direction"], one["table"], frozenset(one["missing"]))
        for language, one in _everything(folder)["languages"].items()
    }


def users(folder: Path = FOLDER) -> dict[str, frozenset[str]]:
    """Return the files that use each key, as `make words` recorded them in the source."""
    return {key: frozenset(names) for key, names in _everything(folder)["users"].items()}


def count_missing() -> dict[str, dict[tuple[str, ...], int]]:
    """Return the number of missing sentences by language, as a source of metrics."""
    return {"serendip_words_missing": {(language,): len(said.missing) for language, said in words().items()}}
