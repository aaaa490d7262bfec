"""The board is told what is missing."""

from server.http.words.catalogue import languages
from server.http.words.missing_translation_metric import reading
from server.ops.metrics.metric_table import PAGES


def test_each_language_is_counted_under_its_name() -> None:
    assert reading() == {"serendip_words_missing": {(language,): 0 for language in languages()}}
    assert set(languages()) <= set(PAGES)
