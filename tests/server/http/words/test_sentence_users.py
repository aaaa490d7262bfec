"""Who uses which sentence."""

from server.http.words.catalogue import words
from server.http.words.sentence_users import modules, named_in, unknown, users

KEYS = {"home.title", "settings.theme", "settings.theme.dark", "close"}


def test_a_module_names_a_key_in_full_or_by_its_beginning() -> None:
    assert named_in('t("home.title")', KEYS) == {"home.title"}
    assert named_in("t(`settings.theme.${theme}`)", KEYS) == {"settings.theme.dark"}
    assert named_in("close(home.title)", KEYS) == set()


def test_each_sentence_of_the_product_has_who_uses_it() -> None:
    table = words()["en"].table
    found = users(table)
    assert [key for key, names in found.items() if not names] == []
    assert "server/site/web/index.html" in found["home.noscript"]
    assert unknown(table) == []
    assert "server/site/web/sw.js" not in modules()


def test_what_is_asked_for_and_not_there_is_told() -> None:
    table = dict(words()["en"].table)
    del table["home.title"]
    assert any(found.endswith(": home.title") for found in unknown(table))
