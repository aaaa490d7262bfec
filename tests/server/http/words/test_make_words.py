"""`make words`: what is committed is what it would write, and nothing is wrong with it."""

from server.http.words.__main__ import files, wrong
from server.http.words.compiled_catalogues import FOLDER
from tests.server.http.words.conftest import RUSSIAN, SOURCE, Folder


def test_the_catalogues_are_as_make_words_leaves_them() -> None:
    assert [name for name, body in files().items() if (FOLDER / name).read_bytes() != body] == [], "run: make words"


def test_nothing_is_wrong_with_any_sentence_in_any_language() -> None:
    assert wrong() == []


def test_a_sentence_that_nobody_uses_and_a_language_that_nobody_described_are_told(folder: Folder) -> None:
    here = folder(source=SOURCE, ru=RUSSIAN, xx=RUSSIAN)
    (here / "xx.po").rename(here / "vi.po")
    told = wrong(here)
    assert "words.pot: hello: not used" in told
    assert "vi.po: forbidden.toml does not say what the language never says" in told
