"""Phrases as a graph: which places lead on to which, and by which words."""

from server.trust.screening.phrase_graph import End, Node, Vocabulary
from server.trust.screening.phrase_templates import Sets


def test_phrases_that_begin_alike_share_their_places() -> None:
    graph, sets = Node(), Sets("en", {})
    for template in ("my snap", "my insta", "your snap"):
        for phrase in sets.parse(template):
            graph.add(phrase.items, End(template))
    assert {token: len(nodes) for token, nodes in graph.next.items()} == {"my": 1, "your": 1}
    assert set(graph.next["my"][0].next) == {"snap", "insta"}
    assert graph.next["my"][0].next["snap"][0].ends == (End("my snap"),)


def test_a_word_without_accents_is_the_same_word() -> None:
    vocabulary = Vocabulary()
    for phrase in Sets("es", {}).parse("tres años"):
        vocabulary.add_phrase(phrase.items)
    assert vocabulary.words["anos"] == vocabulary.words["años"] == ("años",)
