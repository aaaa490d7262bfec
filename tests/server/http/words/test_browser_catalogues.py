"""What the page loads."""

import json

from server.http.words.browser_catalogues import page_files
from server.http.words.catalogue import users, words
from tests.server.http.words.conftest import RUSSIAN, Folder


def test_a_sentence_is_in_the_first_file_exactly_if_the_first_load_uses_it(folder: Folder) -> None:
    here = folder(ru=RUSSIAN)
    found = {name: json.loads(body) for name, body in page_files(words(here), users(here), {"app.js"}).items()}
    assert sorted(found) == ["words/en-rest.json", "words/en.json", "words/ru-rest.json", "words/ru.json"]
    assert found["words/en.json"] == {"direction": "ltr", "hello": "Hello, {name}"}
    assert set(found["words/ru-rest.json"]) == {"left"}


def test_what_only_documents_use_is_not_the_pages(folder: Folder) -> None:
    here = folder()
    used = {key: frozenset({"server/http/pages/rules.html"}) for key in users(here)}
    assert page_files(words(here), used, {"app.js"})["words/en-rest.json"] == b"{}"
