"""A refusal says the same in the language of whoever reads it, and English where it is text."""

import pytest

from server.http.words.sentence_formatter import said
from server.http.words.worded_errors import Length, Worded


def test_as_text_it_is_english_and_is_said_in_any_language() -> None:
    why = Worded("refused.taken", who="ada", n=2)
    assert str(why) == "This case is with ada, for 2 more minutes."
    assert why.said(said()["de"]) == "Dieser Fall ist noch 2 Minuten bei ada."
    assert why.said(said()["ru"]) == "Это дело у ada, ещё 2 минуты."


def test_a_length_is_in_the_words_of_the_language() -> None:
    assert (
        str(Worded("refused.beyond.pair", length=Length(None)))
        == "A ban of this length (for good) takes two operators."
    )
    assert Worded("refused.lasts.ban", shortest=Length(86_400)).said(said()["ja"]) == "利用停止は 1 日以上です。"


def test_what_is_not_filled_in_is_an_error() -> None:
    with pytest.raises(KeyError):
        str(Worded("refused.words"))
    with pytest.raises(KeyError):
        str(Worded("refused.nothing"))
