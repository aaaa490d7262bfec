"""Catalogues as they stand."""

import pytest
from babel.messages.pofile import PoFileError

from server.http.words.po_files import english, everything, languages, messages, read, source, translated
from tests.server.http.words.conftest import RUSSIAN, Folder


def test_a_message_says_its_forms_by_name_and_nothing_where_one_is_missing(folder: Folder) -> None:
    here = folder(ru=RUSSIAN)
    there = messages(read(here / "ru.po", "ru"))
    assert translated(there["hello"], ("one",)) == "Привет, {name}"
    assert translated(there["left"], ("one", "few", "many", "other")) == dict.fromkeys(
        ("one", "few", "many", "other"), "ещё {n}"
    )
    assert translated(there["left"], ("one", "other")) is None
    assert english(messages(source(here))["left"]) == {"one": "{n} left", "other": "{n} are left"}


def test_everything_is_plain_values(folder: Folder) -> None:
    here = folder(ru="")
    assert languages(here) == ("en", "ru")
    found = everything(here)
    table = {"hello": "Hello, {name}", "left": {"one": "{n} left", "other": "{n} are left"}}
    assert found["languages"] == {
        "en": {"name": "English", "direction": "ltr", "table": table, "missing": []},
        "ru": {"name": "Русский", "direction": "ltr", "table": table, "missing": ["hello", "left"]},
    }
    assert found["users"] == {"hello": ["server/site/web/app.js"], "left": ["server/site/web/views/chat.js"]}


def test_what_is_no_catalogue_is_told(folder: Folder) -> None:
    here = folder(ru="this is none\n")
    with pytest.raises(PoFileError, match="misformatted"):
        read(here / "ru.po", "ru")
