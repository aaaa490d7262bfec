"""Catalogues as they are written."""

from server.http.words.catalogue_writer import language_file, source_file
from server.http.words.po_files import messages, read, source
from tests.server.http.words.conftest import RUSSIAN, SOURCE, Folder


def test_what_is_written_is_read_as_it_was_and_written_the_same(folder: Folder) -> None:
    here = folder(ru=RUSSIAN)
    first = language_file(source(here), read(here / "ru.po", "ru"), "ru")
    (here / "ru.po").write_bytes(first)
    again = read(here / "ru.po", "ru")
    assert messages(again)["left"].string == ("ещё {n}",) * 4
    assert language_file(source(here), again, "ru") == first
    assert b'msgstr "\xd0\x9f' in first
    assert b"Language: ru" in first


def test_a_new_sentence_is_empty_and_one_that_is_gone_goes(folder: Folder) -> None:
    new = SOURCE.replace('"hello"', '"greeting"')
    here = folder(source=new, ru=RUSSIAN)
    (here / "ru.po").write_bytes(language_file(source(here), read(here / "ru.po", "ru"), "ru"))
    found = messages(read(here / "ru.po", "ru"))
    assert list(found) == ["greeting", "left"]
    assert (found["greeting"].string, found["left"].fuzzy) == ("", False)


def test_a_sentence_whose_english_changed_is_marked_with_what_it_was(folder: Folder) -> None:
    here = folder(source=SOURCE.replace("Hello, {name}", "Good day, {name}"), ru=RUSSIAN)
    text = language_file(source(here), read(here / "ru.po", "ru"), "ru").decode()
    assert "#, fuzzy" in text
    assert '#| msgid "Hello, {name}"' in text
    assert 'msgstr "Привет, {name}"' in text


def test_the_source_keeps_its_sentences_and_is_told_who_uses_them(folder: Folder) -> None:
    here = folder()
    written = source_file(source(here), {"hello": ["b.js", "a.js"]}).decode()
    assert "#: a.js b.js\n" in written
    assert "#. at most 12 characters" in written
    assert "chat.js" not in written
