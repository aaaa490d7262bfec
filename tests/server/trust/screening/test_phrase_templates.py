"""Templates of rule files: what each stands for, and which are refused."""

import pytest

from server.trust.screening.phrase_templates import AGE, ANY, BadTemplate, Phrase, Sets


def sets() -> Sets:
    return Sets("en", {"harm": ["kill", "beat up"], "ill": ["gonna", "i will {harm}"]})


def items(template: str) -> list[set[tuple[str, ...]]]:
    (phrase,) = sets().parse(template)
    return [set(item) for item in phrase.items]


def test_a_word_is_folded_and_alternatives_are_choices() -> None:
    assert items("Don't kill(ing|) (me|my dog|)") == [
        {("dont",)},
        {("killing",), ("kill",)},
        {("me",), ("my", "dog"), ()},
    ]


def test_a_set_is_one_token_beside_its_longer_members() -> None:
    assert items("{harm} you") == [{("{en.harm}",), ("beat", "up")}, {("you",)}]
    assert sets().words["{en.harm}"] == {"kill"}
    assert items("{ill}") == [{("{en.ill}",), ("i", "will", "{en.harm}"), ("i", "will", "beat", "up")}]


def test_a_gap_is_up_to_three_words_and_an_age_is_in_words_too() -> None:
    assert items("a .. b")[1] == {(), (ANY,), (ANY, ANY), (ANY, ANY, ANY)}
    assert items("im {age}")[1] == {(AGE,)}
    assert ("14f",) in items("{age}f")[0]


def test_only_some_choices_may_end_a_clause() -> None:
    both = sets().parse("^stop (now|it$)")
    assert both == [
        Phrase((frozenset({("stop",)}), frozenset({("now",)})), starts=True),
        Phrase((frozenset({("stop",)}), frozenset({("it",)})), starts=True, ends=True),
    ]


@pytest.mark.parametrize(
    "template", ["", "(a|)", "a (b", "{nothing} a", "a b c d e f g h i j k l m n o p q", "a (♂|b)", "_ a", "(a|) .. b"]
)
def test_a_template_that_means_nothing_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        sets().parse(template)
