"""What is found in a translation; each finding with a catalogue that has just that."""

import re
from pathlib import Path

import pytest

from server.http.words.po_files import languages, read, source
from server.http.words.translation_check import forbidden, wrong_in, wrong_in_source
from tests.server.http.words.conftest import RUSSIAN, SOURCE, Folder

NEVER = re.compile("юзер")


def found(here: Path) -> list[str]:
    """What is wrong with the Russian of a folder."""
    return list(wrong_in("ru", read(here / "ru.po", "ru"), source(here), NEVER))


def test_a_whole_translation_has_nothing_wrong(folder: Folder) -> None:
    assert found(folder(ru=RUSSIAN)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Привет, {name}", "Привет", "hello: has the places"),
        ("Привет, {name}", "Привет, {nome}", "hello: has the places"),
        ("Привет, {name}", "", "hello: missing"),
        ("Привет, {name}", "Привет, юзер {name}", "hello: says “юзер”"),
        ("Привет, {name}", "Привет, {name} ", "hello: begins or ends with a space"),
        ("Привет, {name}", "Serendip, {name}", "hello: Serendip stays"),
        ("Привет, {name}", "Привет, {name}" + "а" * 40, "hello: 54 characters, 38 at most"),
        ('msgstr[3] "ещё {n}"', 'msgstr[3] "ещё осталось {n}"', "left: 16 characters, 12 at most"),
        ('msgstr[2] "ещё {n}"', 'msgstr[2] ""', "left: has not a form for each of one, few, many, other"),
        ('msgctxt "left"', '#, fuzzy\nmsgctxt "left"', "left: the English has changed"),
        ('msgid "Hello, {name}"', 'msgid "Hi, {name}"', "hello: the English has changed"),
        ('msgctxt "left"', 'msgctxt "right"', "right: the source has no such key"),
    ],
)
def test_each_fault_is_told_by_its_key(folder: Folder, old: str, new: str, told: str) -> None:
    assert old in RUSSIAN
    assert any(what.startswith(told) for what in found(folder(ru=RUSSIAN.replace(old, new)))), told


def test_another_number_of_forms_or_another_rule_is_told(folder: Folder) -> None:
    assert found(folder(ru="", forms=2, formula="(n != 1)"))[0].startswith("Plural-Forms: 2 forms")
    assert found(folder(ru=RUSSIAN, formula="(n != 1)"))[0].startswith("Plural-Forms: another form")


def test_english_is_held_to_its_own_bounds_and_words(folder: Folder) -> None:
    here = folder(source=SOURCE.replace("are left", "are left now and then").replace("Hello", "Hello, user"))
    told = list(wrong_in_source(source(here), re.compile("user")))
    assert told == ["hello: says “user”, which we do not (forbidden.toml)", "left: longer than it says that it may be"]


def test_it_is_known_of_each_language_what_it_never_says() -> None:
    lists = forbidden()
    assert set(languages()) <= set(lists)
    assert lists["en"].search("Dear User") is not None
    assert lists["en"].search("abuser") is None
    assert lists["ja"].search("このユーザー") is not None
    assert lists["de"].search("Hallo!") is not None
    assert lists["nb"].search("på denne tjeneren") is not None
    assert lists["nb"].search("den tjener ikke til noe annet; vi betjener serveren") is None
