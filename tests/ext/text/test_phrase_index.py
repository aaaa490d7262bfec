"""Test the index of phrases: a damaged one is refused, or leads nowhere outside of its arrays."""

import random
from array import array

import pytest

from ext.text.phrase_index import PhraseIndex
from ext.text.phrase_scanner import PhraseScanner
from server.trust.screening.phrase_compiler import ALLOWED, compile_phrases
from server.trust.screening.phrase_graph import End, Node, Vocabulary
from server.trust.screening.phrase_templates import Sets


def test_a_damaged_index_is_refused_or_leads_nowhere_outside_of_it() -> None:
    graph, vocabulary = Node(), Vocabulary()
    for phrase in Sets("en", {}).parse("(add|give) me (on|) snap"):
        vocabulary.add_phrase(phrase.items)
        graph.add(phrase.items, End("contact"))
    whole = compile_phrases((graph, graph, graph), vocabulary)[0]
    for cut in (0, 3, 4, 95, len(whole) - 4, len(whole) - 1):
        with pytest.raises(ValueError, match="index"):
            PhraseIndex(whole[:cut])
    with pytest.raises(ValueError, match="index"):
        PhraseIndex(whole + bytes(4))
    numbers, dice = array("I", whole), random.Random(3)
    refused = 0
    for _ in range(3_000):
        place = dice.randrange(dice.choice((24, 200, 200, 200, len(numbers))))
        old = numbers[place]
        numbers[place] = dice.choice((0, 1, 0xFFFFFFFF, old + 1 & 0xFFFFFFFF, dice.getrandbits(32), dice.randrange(64)))
        try:
            scanner = PhraseScanner(PhraseIndex(numbers.tobytes()))
        except ValueError:
            refused += 1
        else:
            scanner.scan("add me on snap, give me 5n4p s n a p")
            scanner.find(ALLOWED)
        numbers[place] = old
    assert refused > 500
