"""The catalogues, read: each sentence by its key. Rule: a key is the context (msgctxt) of a message, its English the message itself;
what a language lacks, or has not looked at since the English changed (fuzzy), is said in English, and is known as missing."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from server.words.plurals import categories, direction

FOLDER = Path(__file__).parent / "locale"
SOURCE = "words.pot"
ENGLISH = "en"

Word = str | dict[str, str]  # a sentence, or its forms by CLDR's names


@dataclass(frozen=True, slots=True)
class Words:
    """A language: every key of the source, with English in the place of what is `missing`."""

    language: str
    direction: str
    table: dict[str, Word]
    missing: frozenset[str]

    def said(self, keys: Iterable[str]) -> dict[str, Word]:
        """The part of the table that `keys` name, in their order."""
        return {key: self.table[key] for key in keys}


def read(path: Path, language: str) -> Catalog:
    """A catalogue as it stands; raises ValueError where it cannot be read."""
    with path.open("rb") as file:
        return read_po(file, locale=None if path.suffix == ".pot" else language, abort_invalid=True)


def messages(catalogue: Catalog) -> dict[str, Message]:
    """Its messages by key, in their order, without its head."""
    return {message.context: message for message in catalogue if message.id and message.context}


@functools.cache
def source(folder: Path = FOLDER) -> Catalog:
    """The English catalogue, which the others translate."""
    return read(folder / SOURCE, ENGLISH)


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """What there are catalogues for, English first."""
    return (ENGLISH, *sorted(path.stem for path in folder.glob("*.po")))


def translated(message: Message, names: tuple[str, ...]) -> Word | None:
    """What a message says, its forms under `names`; None where it says nothing, not all, or nothing that holds still."""
    if message.fuzzy:
        return None
    if isinstance(message.id, str):
        return message.string if isinstance(message.string, str) and message.string else None
    forms = tuple(message.string or ())
    return dict(zip(names, forms, strict=True)) if all(forms) and len(forms) == len(names) else None


def english(message: Message) -> Word:
    """What a message of the source says."""
    if isinstance(message.id, str):
        return message.id
    return dict(zip(categories(ENGLISH), message.id, strict=True))


@functools.cache
def words(folder: Path = FOLDER) -> dict[str, Words]:
    """All languages, English first. It reads files: once, before the loop runs."""
    originals = {key: english(message) for key, message in messages(source(folder)).items()}
    return {language: _words(folder, language, originals) for language in languages(folder)}


def _words(folder: Path, language: str, originals: dict[str, Word]) -> Words:
    if language == ENGLISH:
        return Words(language, direction(language), originals, frozenset())
    names = categories(language)
    there = messages(read(folder / f"{language}.po", language))
    found = {key: translated(there[key], names) if key in there else None for key in originals}
    table = {key: originals[key] if word is None else word for key, word in found.items()}
    return Words(language, direction(language), table, frozenset(key for key, word in found.items() if word is None))


def users(folder: Path = FOLDER) -> dict[str, frozenset[str]]:
    """The files that use each key, as the source has them from `make words`."""
    return {
        key: frozenset(name for name, _line in message.locations) for key, message in messages(source(folder)).items()
    }
