"""Test the scanner of phrases and the classifier with any bytes as text: words are those of `text_folding`. Also a target of `make fuzz`."""

from ext.text.hashed_classifier import HashedClassifier
from ext.text.phrase_index import PhraseIndex
from ext.text.phrase_scanner import PhraseScanner
from ext.text.spelled_scanner import SpelledScanner
from server.trust.screening.phrase_compiler import ALLOWED, compile_phrases
from server.trust.screening.phrase_graph import End, Node, Vocabulary
from server.trust.screening.phrase_templates import Sets
from server.trust.screening.text_folding import WORDS_MAX, split_line, word_spans

WORDS = (
    b"add me on snap", b"sn4p", b"$nap", b"5nap", b"im 14", b"s n a p", b"sooo", b"w!n", b"'", b".", b" . ", b"(.)", b"@", b"+", b"00", b"://",
    "я".encode(), "ѕnар".encode(), "我".encode(), "각".encode(), "ﷺ".encode(), "\U0001d4fc".encode(), "\u200b".encode(), b"\xed\xa0\x80", b" " * 50,
    b"a b c " * 20, b"1" * 60, b"1a" * 30,
)  # fmt: skip


def _index() -> PhraseIndex:
    graph, vocabulary, sets = Node(), Vocabulary(), Sets("en", {"app": ["snap", "insta gram"]})
    for token, members in sets.words.items():
        for word in members:
            vocabulary.add(word, token)
    for template in ("(add|give) me (on|) {app}", "im {age}", "a .. c", "snap", "i _ win"):
        for phrase in sets.parse(template):
            vocabulary.add_phrase(phrase.items)
            graph.add(phrase.items, End(template))
    return PhraseIndex(compile_phrases((graph, graph, Node()), vocabulary)[0])


SCANNER = PhraseScanner(_index(), None, WORDS_MAX)
SPELLED = SpelledScanner(SCANNER)
CLASSIFIER = HashedClassifier(bytes(range(256)) * 8, [(0.0, 1.0, 0.0), (1.0, 1.0, 0.0)], 180)


def fuzz(data: bytes) -> tuple[int, int, int]:
    """Scan a line piece by piece; return what was seen, and how many words and phrases."""
    seen = words = hits = 0
    for piece in split_line(_text(data)):
        text = piece.text
        seen |= SCANNER.scan(text)
        spans = SCANNER.spans()
        assert spans == word_spans(text)
        found = SCANNER.hits()
        assert all(0 <= begin < behind <= len(spans) for _, begin, behind in found)
        assert set(found) <= set(SCANNER.find(ALLOWED))
        spelled = SPELLED.scan()
        assert all(begin < behind - 2 and behind <= len(spans) for _, begin, behind in spelled)
        assert len(CLASSIFIER.scores(text)) == 2
        words, hits = words + len(spans), hits + len(found)
    return seen, min(words, 60), min(hits, 20)


def _text(data: bytes) -> str:
    """Return a text with any characters: half ones too, as JSON may have them."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")
