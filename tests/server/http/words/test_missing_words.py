"""The board is told what is missing."""

from server.metrics.table import PAGES
from server.words.catalogue import languages
from server.words.reading import reading


def test_each_language_is_counted_under_its_name() -> None:
    assert reading() == {"serendip_words_missing": {(language,): 0 for language in languages()}}
    assert set(languages()) <= set(PAGES)
