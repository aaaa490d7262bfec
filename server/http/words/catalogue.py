"""Each sentence by its key, in each language. Rule: what a language lacks is said in English, and is known as missing. Read as it was compiled
(`server.http.words.compiled_catalogues`), else of the catalogues (`server.http.words.po_files`): both say the same."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.http.words.compiled_catalogues import ENGLISH as ENGLISH
from server.http.words.compiled_catalogues import FOLDER as FOLDER
from server.http.words.compiled_catalogues import Word as Word
from server.http.words.compiled_catalogues import load


@dataclass(frozen=True, slots=True)
class Words:
    """A language: every key of the source, with English in the place of what is `missing`. `name`: as its speakers write it."""

    language: str
    name: str
    direction: str
    table: dict[str, Word]
    missing: frozenset[str]

    def said(self, keys: Iterable[str]) -> dict[str, Word]:
        """The part of the table that `keys` name, in their order."""
        return {key: self.table[key] for key in keys}


@functools.cache
def _everything(folder: Path) -> Mapping[str, Any]:
    there = load(folder)
    if there is None:
        from server.http.words.po_files import everything

        return everything(folder)
    return there


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """What there are catalogues for, English first."""
    return tuple(_everything(folder)["languages"])


@functools.cache
def words(folder: Path = FOLDER) -> dict[str, Words]:
    """All languages, English first. It reads files: once, before the loop runs."""
    return {
        language: Words(language, one["name"], one["direction"], one["table"], frozenset(one["missing"]))
        for language, one in _everything(folder)["languages"].items()
    }


def users(folder: Path = FOLDER) -> dict[str, frozenset[str]]:
    """The files that use each key, as the source has them from `make words`."""
    return {key: frozenset(names) for key, names in _everything(folder)["users"].items()}
