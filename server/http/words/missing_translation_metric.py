"""Provide the metric of missing translations, counted in the loaded catalogues at each scrape."""

from server.http.words.catalogue import words
from server.ops.metrics.exposition import Reading


def reading() -> Reading:
    """Return the number of missing sentences by language, as a source of metrics."""
    return {"serendip_words_missing": {(language,): len(said.missing) for language, said in words().items()}}
