"""Check translations for technical faults, such as missing placeholders or plural forms; style is left to speakers of the language.

**Invariant:** each problem names the key and says what to do.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message

from server.http.words.catalogue import BRAND
from server.http.words.compiled_catalogues import Word
from server.http.words.language_data import categories, disagreements
from server.http.words.po_files import english, messages, translated

LONGER, SPARE = 2, 12  # a translation has at most LONGER times the characters of the English, and SPARE more
ROOMY: Final = "term."  # a name in a table of the statement: SPARE_THERE more, for languages without a short one
SPARE_THERE: Final = 36
# Texts of the privacy registry, word for word: their English changes with a version of the statement only.
DECLARED: Final = ("term.", "declared.")
_PLACE = re.compile(r"\{(\w*)\}|\]\((\w+)\)")  # {n}, and the address of a link
_BOUND = re.compile(r"at most (\d+) characters")
_UNSPACED = ("ar", "ja")  # scripts without spaces between words: a forbidden text may begin anywhere


def forbidden() -> dict[str, re.Pattern[str]]:
    """Return the patterns that no sentence of a language may match."""
    lists: dict[str, list[str]] = tomllib.loads((Path(__file__).parent / "forbidden.toml").read_text("utf-8"))
    every = lists.pop("every")
    return {language: _pattern(language, [*every, *some]) for language, some in lists.items()}


def _pattern(language: str, words: list[str]) -> re.Pattern[str]:
    begin = "" if language in _UNSPACED else r"(?<!\w)"
    return re.compile("|".join(("" if not word[0].isalnum() else begin) + re.escape(word) for word in words), re.I)


def wrong_in_source(source: Catalog, never: re.Pattern[str]) -> Iterator[str]:
    """Yield problems of the English itself, as `key: problem`."""
    for key, message in messages(source).items():
        word = english(message)
        if _bound(message) is not None and _length(word) > (_bound(message) or 0):
            yield f"{key}: longer than it says that it may be"
        if not key.startswith(DECLARED):
            yield from _worded(key, word, never)


def wrong_in(language: str, catalogue: Catalog, source: Catalog, never: re.Pattern[str]) -> Iterator[str]:
    """Yield problems of a translation of `source`, as `key: problem`."""
    names = categories(language)
    if catalogue.num_plurals != len(names):
        yield f"Plural-Forms: {catalogue.num_plurals} forms, and CLDR has {len(names)}: {', '.join(names)}"
        return
    if numbers := disagreements(language, catalogue.plural_expr):
        yield f"Plural-Forms: another form than CLDR's for {numbers[:5]}"
    there = messages(catalogue)
    for key in there.keys() - messages(source).keys():
        yield f"{key}: the source has no such key"
    for key, original in messages(source).items():
        message = there.get(key)
        if message is None or not any(message.string or ()):
            yield f"{key}: missing"
        elif message.fuzzy or message.id != original.id:
            yield f"{key}: the English has changed; look at it and take the mark `fuzzy` away"
        elif (word := translated(message, names)) is None:
            yield f"{key}: has not a form for each of {', '.join(names)}"
        else:
            yield from _against(key, original, word)
            yield from _worded(key, word, never)


def _against(key: str, original: Message, word: Word) -> Iterator[str]:
    """Yield problems of a sentence compared with its English."""
    said = english(original)
    if _places(word) != _places(said):
        yield f"{key}: has the places {sorted(_places(word))}, the English {sorted(_places(said))}"
    if (BRAND in " ".join(_forms(said))) != (BRAND in " ".join(_forms(word))):
        yield f"{key}: {BRAND} stays {BRAND}"
    bound = _bound(original)
    spare = SPARE_THERE if key.startswith(ROOMY) else SPARE
    longest = LONGER * _length(said) + spare if bound is None else bound
    if _length(word) > longest:
        yield f"{key}: {_length(word)} characters, {longest} at most"


def _worded(key: str, word: Word, never: re.Pattern[str]) -> Iterator[str]:
    for form in _forms(word):
        if found := never.search(form):
            yield f"{key}: says “{found[0]}”, which we do not (forbidden.toml)"
        if form != form.strip() and key not in ("chat.said",):
            yield f"{key}: begins or ends with a space"


def _bound(message: Message) -> int | None:
    found = _BOUND.search(" ".join(message.auto_comments))
    return int(found[1]) if found else None


def _forms(word: Word) -> list[str]:
    return [word] if isinstance(word, str) else list(word.values())


def _length(word: Word) -> int:
    return max(map(len, _forms(word)))


def _places(word: Word) -> set[str]:
    """Return the {names} in a sentence. One of several forms may leave the number out ("a topic"), so all of them count."""
    return {place or link for place, link in _PLACE.findall(" ".join(_forms(word)))}
