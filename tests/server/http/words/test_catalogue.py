"""Sentences by their keys; what is missing is said in English, and known."""

from server.http.words.catalogue import count_missing, languages, users, words
from server.ops.metrics.metric_table import PAGES
from tests.server.http.words.conftest import RUSSIAN, Folder


def test_a_language_says_each_key_with_its_forms_by_name(folder: Folder) -> None:
    found = words(folder(ru=RUSSIAN))
    assert list(found) == ["en", "ru"]
    assert found["en"].table == {"hello": "Hello, {name}", "left": {"one": "{n} left", "other": "{n} are left"}}
    assert found["ru"].table["hello"] == "Привет, {name}"
    assert list(found["ru"].table["left"]) == ["one", "few", "many", "other"]
    assert found["ru"].missing == frozenset()


def test_what_is_missing_changed_or_not_whole_is_said_in_english_and_known(folder: Folder) -> None:
    fuzzy = RUSSIAN.replace('msgctxt "hello"', '#, fuzzy\nmsgctxt "hello"').replace(
        'msgstr[3] "ещё {n}"', 'msgstr[3] ""'
    )
    found = words(folder(ru=fuzzy))["ru"]
    assert found.table == words(folder())["en"].table
    assert found.missing == {"hello", "left"}


def test_an_empty_catalogue_is_english(folder: Folder) -> None:
    found = words(folder(ru=""))["ru"]
    assert (found.table["hello"], len(found.missing)) == ("Hello, {name}", 2)


def test_the_source_says_who_uses_a_sentence(folder: Folder) -> None:
    assert users(folder()) == {"hello": {"server/site/web/app.js"}, "left": {"server/site/web/views/chat.js"}}


def test_the_products_catalogues_miss_nothing() -> None:
    found = words()
    assert list(found) == list(languages())
    assert {language: sorted(said.missing) for language, said in found.items() if said.missing} == {}


def test_each_language_is_counted_under_its_name() -> None:
    assert count_missing() == {"serendip_words_missing": {(language,): 0 for language in languages()}}
    assert set(languages()) <= set(PAGES)
