"""Phrases as a graph: which are found in the words of a line, and how many at most."""

from server.trust.screening.phrase_graph import HITS_MAX, End, Hit, Node, Vocabulary, find_from_first
from server.trust.screening.phrase_templates import Sets


def built(*templates: str) -> tuple[Node, Vocabulary]:
    graph, vocabulary = Node(), Vocabulary()
    sets = Sets("en", {"harm": ["kill", "beat up"]})
    for token, members in sets.words.items():
        for word in members:
            vocabulary.add(word, token)
    vocabulary.name_age("fourteen", 14)
    for template in templates:
        for phrase in sets.parse(template):
            vocabulary.add_phrase(phrase.items)
            graph.add(phrase.items, End(template))
    vocabulary.finish(graph)
    return graph, vocabulary


def found(text: str, *templates: str) -> list[tuple[int, int]]:
    """Begin and end of each hit; the walk from words and the search of a graph agree."""
    graph, vocabulary = built(*templates)
    entries = vocabulary.entries_of(text.split(), {})
    hits: list[Hit] = []
    find_from_first(entries, hits)
    again: list[Hit] = []
    graph.find(entries, again)
    assert hits == again
    return [(begin, behind) for _, begin, behind in hits]


def test_a_walk_passes_sets_gaps_and_absent_words() -> None:
    assert found("i will kill you", "will {harm} (all of|) you") == [(1, 4)]
    assert found("i will beat up all of you", "will {harm} (all of|) you") == [(1, 7)]
    assert found("i will kill them", "will {harm} (all of|) you") == []
    assert found("a 1 2 3 b", "a .. b") == [(0, 5)]
    assert found("a 1 2 3 4 b", "a .. b") == []
    assert found("im fourteen", "im {age}") == [(0, 2)]


def test_a_word_with_several_readings_leads_on_by_each() -> None:
    _, vocabulary = built("snap me", "5nap you")
    hits: list[Hit] = []
    find_from_first(vocabulary.entries_of(["5nap", "you"], {"5nap": ("5nap", "snap")}), hits)
    find_from_first(vocabulary.entries_of(["5nap", "me"], {"5nap": ("5nap", "snap")}), hits)
    assert [end.rule for end, _, _ in hits] == ["5nap you", "snap me"]


def test_a_word_without_accents_is_the_same_word() -> None:
    _, vocabulary = built("tres años")
    assert vocabulary.words["anos"].tokens == vocabulary.words["años"].tokens


def test_the_hits_of_a_piece_are_bounded() -> None:
    assert len(found("a " * 200, "a", "a a", "a a a")) == HITS_MAX
