"""Count missing translations, as a metric. It is read at a scrape, from the catalogues loaded at the start."""

from server.http.words.catalogue import words
from server.ops.metrics.exposition import Reading


def reading() -> Reading:
    """Return the number of missing sentences by language, as a source of metrics."""
    return {"serendip_words_missing": {(language,): len(said.missing) for language, said in words().items()}}
