"""Forms by CLDR, in gettext's order."""

import pytest

from server.http.words.compiled_catalogues import FOLDER
from server.http.words.language_data import ORDER, categories, category, direction, disagreements, name
from server.http.words.po_files import languages, read


def test_each_language_has_its_forms_in_the_order_of_gettext() -> None:
    assert categories("en") == ("one", "other")
    assert categories("ja") == ("other",)
    assert categories("ru") == ("one", "few", "many", "other")
    assert categories("ar") == ORDER


def test_arabic_is_read_from_the_right() -> None:
    assert (direction("ar"), direction("en"), direction("ja")) == ("rtl", "ltr", "ltr")


def test_a_language_begins_with_a_large_letter_where_it_has_some() -> None:
    assert [name(language) for language in ("en", "fr", "ar", "ja")] == ["English", "Français", "العربية", "日本語"]


@pytest.mark.parametrize(("number", "form"), [(1, "one"), (3, "few"), (5, "many"), (11, "many"), (21, "one")])
def test_russian_counts_by_the_last_digits(number: int, form: str) -> None:
    assert category("ru", number) == form


@pytest.mark.parametrize("language", languages()[1:])
def test_a_catalogues_formula_is_cldrs(language: str) -> None:
    assert disagreements(language, read(FOLDER / f"{language}.po", language).plural_expr) == []


def test_a_formula_that_is_another_languages_is_seen() -> None:
    assert disagreements("fr", "(n == 1 ? 0 : n == 7 ? 1 : 2)") == [0, 7, 1_000_000, 2_000_000]
    assert 5 in disagreements("ru", "(n != 1)")
    with pytest.raises(ValueError, match="plural"):
        disagreements("de", "n !")
