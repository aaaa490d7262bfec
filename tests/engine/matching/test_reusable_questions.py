"""Questions that may be asked again."""

from engine.matching.reusable_questions import ASKED_MAX, QUESTION_FOR, QUESTIONS_MAX, SpyQuestions


def test_the_question_that_was_asked_longest_ago_comes_next() -> None:
    questions = SpyQuestions()
    for question in ("one", "two"):
        questions.add(question, "en", 0.0)
    assert [questions.take("en", 1.0) for _ in range(3)] == ["one", "two", "one"]


def test_a_question_is_asked_a_few_times_only() -> None:
    questions = SpyQuestions()
    questions.add("one", "en", 0.0)
    assert [questions.take("en", 1.0) for _ in range(ASKED_MAX + 1)] == ["one"] * ASKED_MAX + [None]
    assert not questions


def test_a_question_lives_for_a_day() -> None:
    questions = SpyQuestions()
    questions.add("one", "en", 0.0)
    assert questions.take("en", QUESTION_FOR - 1) == "one"
    assert questions.take("en", QUESTION_FOR) is None


def test_a_language_hears_its_own_questions_and_those_of_any() -> None:
    questions = SpyQuestions()
    questions.add("eins", "de", 0.0)
    assert questions.take("en", 1.0) is None
    assert questions.take("*", 1.0) == questions.take("de", 1.0) == "eins"
    questions.add("any", "*", 0.0)
    assert questions.take("en", 1.0) == "any"


def test_the_oldest_goes_where_there_are_too_many() -> None:
    questions = SpyQuestions()
    for number in range(QUESTIONS_MAX + 1):
        questions.add(str(number), "en", 0.0)
    assert len(questions) == QUESTIONS_MAX
    assert questions.take("en", 1.0) == "1"
