"""How many sentences are missing, for the board. Rule: read at the scrape, of what was read at the start."""

from server.http.words.catalogue import words
from server.ops.metrics.exposition import Reading


def reading() -> Reading:
    """A source: the missing sentences of each language."""
    return {"serendip_words_missing": {(language,): len(said.missing) for language, said in words().items()}}
