"""Read, check and compile the .po translation catalogues, for the build and for checks; look-ups are in `server.http.words.catalogue`.

**Invariant:** a sentence that has no translation, or whose English has changed since (fuzzy), is given in English and counts as missing.
"""

# A key is the context (msgctxt) of a message, and its English the message itself.

import functools
import json
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from server.http.words.compiled_catalogues import COMPILED, ENGLISH, FOLDER, SOURCE, Word, digest
from server.http.words.language_data import categories, direction, name


def read(path: Path, language: str) -> Catalog:
    """Read a catalogue; raises babel.messages.pofile.PoFileError if it is invalid."""
    with path.open("rb") as file:
        return read_po(file, locale=None if path.suffix == ".pot" else language, abort_invalid=True)


def messages(catalogue: Catalog) -> dict[str, Message]:
    """Return a catalogue's messages by key, in their order, without its header."""
    return {message.context: message for message in catalogue if message.id and message.context}


@functools.cache
def source(folder: Path = FOLDER) -> Catalog:
    """Read the English catalogue, which the others translate."""
    return read(folder / SOURCE, ENGLISH)


def languages(folder: Path = FOLDER) -> tuple[str, ...]:
    """List the languages with a catalogue, English first."""
    return (ENGLISH, *sorted(path.stem for path in folder.glob("*.po")))


def translated(message: Message, names: tuple[str, ...]) -> Word | None:
    """Return a message's translation, plural forms under `names`; None if it is empty, incomplete or fuzzy."""
    if message.fuzzy:
        return None
    if isinstance(message.id, str):
        return message.string if isinstance(message.string, str) and message.string else None
    forms = tuple(message.string or ())
    return dict(zip(names, forms, strict=True)) if all(forms) and len(forms) == len(names) else None


def english(message: Message) -> Word:
    """Return the English of a message of the source."""
    if isinstance(message.id, str):
        return message.id
    return dict(zip(categories(ENGLISH), message.id, strict=True))


def everything(folder: Path = FOLDER) -> dict[str, Any]:
    """Return all sentences as plain values: `languages`, each with its `name`, `direction`, `table` and the keys that are `missing`; `users`: the
    files that use each key, as `make words` recorded them.
    """
    there = messages(source(folder))
    originals = {key: english(message) for key, message in there.items()}
    return {
        "languages": {language: _language(folder, language, originals) for language in languages(folder)},
        "users": {key: sorted({name for name, _line in message.locations}) for key, message in there.items()},
    }


def _language(folder: Path, language: str, originals: dict[str, Word]) -> dict[str, Any]:
    found: dict[str, Word | None] = dict(originals)
    if language != ENGLISH:
        names, there = categories(language), messages(read(folder / f"{language}.po", language))
        found = {key: translated(there[key], names) if key in there else None for key in originals}
    return {
        "name": name(language),
        "direction": direction(language),
        "table": {key: originals[key] if word is None else word for key, word in found.items()},
        "missing": [key for key, word in found.items() if word is None],
    }


def compile_into(target: Path, folder: Path = FOLDER) -> None:
    """Compile the catalogues of a folder into `target`, for `server.http.words.compiled_catalogues.load`. Raises OSError, PoFileError."""
    body = json.dumps({"digest": digest(folder), **everything(folder)}, ensure_ascii=False, separators=(",", ":"))
    begun = target / f".{COMPILED}"
    begun.write_text(body, "utf-8")
    begun.replace(target / COMPILED)  # completely or not at all: servers may be starting
