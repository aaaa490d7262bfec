"""A saved chat as words: nobody is "you", a message cannot pass for another's, and what is missing is said."""

import pytest

from server.data.chat_logs.chat_log_rendering import PAUSE, as_json, as_text, clock, context, facts, lasted
from server.data.records.transcript import Line, Transcript
from server.http.words.sentence_formatter import said as spoken

ENGLISH = spoken()["en"]
AT = 1_795_536_309  # 24 November 2026, 16:05:09 UTC


def said(*texts: str, **more: object) -> Transcript:
    lines = tuple(Line(side % 2, AT, text) for side, text in enumerate(texts))
    return Transcript("text", AT, lines, **more)  # type: ignore[arg-type]


def test_times_are_utc() -> None:
    assert (ENGLISH.day(AT), clock(AT)) == ("24 November 2026", "16:05:09")


def test_a_line_break_or_a_mark_of_direction_cannot_forge_a_line() -> None:
    text = as_text(said("one\n[16:05:09] Stranger 2: forged", "two\u202e\u2028three"), ENGLISH)
    lines = [line for line in text.splitlines() if line.startswith("[")]
    assert lines == ["[16:05:09] Stranger 1: one", "[16:05:09] Stranger 2: two"]
    assert "\u202e" not in text


BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")


@pytest.mark.parametrize("end", BREAKS)
def test_no_kind_of_line_break_forges_a_line_anywhere(end: str) -> None:
    forged = f"x{end}[16:05:09] Stranger 2: forged"
    whole = said(forged, common=(forged,), colleges=(forged, ""), question=forged)
    lines = [line for line in as_text(whole, ENGLISH).splitlines() if line.startswith("[")]
    assert lines == ["[16:05:09] Stranger 1: x"]
    assert all(len(fact.splitlines()) == 1 for fact in facts(whole, ENGLISH))


def test_no_command_to_a_terminal_and_no_turn_of_letters_is_shown_to_a_person() -> None:
    unseen = "".join(map(chr, (*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200F, 0x61C)))
    whole = said(f"a{unseen}b", common=(f"t{unseen}u",), colleges=("", f"c{unseen}d"), question=f"q{unseen}r")
    page = context(whole, ENGLISH)
    for text in (
        as_text(whole, ENGLISH),
        *page["common"],
        *page["colleges"],
        page["question"],
        page["lines"][0]["text"],
    ):
        assert not set(text) & set(unseen)
    assert context(said("a\tb"), ENGLISH)["lines"][0]["text"] == "a\tb"


def test_what_is_missing_or_unchecked_is_said() -> None:
    assert facts(said("x"), ENGLISH) == ["24 November 2026, text."]
    told = " ".join(facts(said("x", cut=True, account=True, common=("tea",), colleges=("", "uio.no")), ENGLISH))
    for words in ("first messages are missing", "not checked by us", "both liked tea", "Stranger 2 studied at uio.no"):
        assert words in told


def test_no_form_of_a_log_says_a_language() -> None:
    chat = said("x")
    assert "language" not in as_json(chat)
    assert "language" not in context(chat, ENGLISH)
    assert "English" not in as_text(chat, ENGLISH)


def test_json_numbers_the_strangers_as_the_page_does() -> None:
    assert [message["from"] for message in as_json(said("a", "b"))["messages"]] == [1, 2]


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (0, "under a minute"),
        (59, "under a minute"),
        (60, "1 minute"),
        (38 * 60 + 59, "38 minutes"),
        (3600, "1 hour"),
        (2 * 3600 + 5 * 60, "2 hours 5 minutes"),
        (-5, "under a minute"),
    ],
)
def test_how_long_a_chat_lasted_is_said(seconds: int, found: str) -> None:
    assert lasted(Transcript("text", AT, (Line(0, AT, "x"), Line(1, AT + seconds, "y"))), ENGLISH) == found
    assert lasted(Transcript("text", AT, ()), ENGLISH) == "under a minute"


def test_the_page_says_when_it_was_and_how_much() -> None:
    page = context(said("one", "two"), ENGLISH)
    assert page["day"] == "24 November 2026"
    assert page["when"] == "2026-11-24T16:05:09Z"
    assert page["about"] == "16:05 UTC, text, under a minute, 2 messages."


def test_who_speaks_is_said_at_each_turn_after_a_silence_and_on_another_day() -> None:
    times = ((0, 0), (0, 1), (1, 2), (1, 2 + PAUSE), (1, 3 + 2 * PAUSE), (1, 4 + 2 * PAUSE), (1, 9 * 3600))
    lines = tuple(Line(side, AT + after, "x") for side, after in times)
    found = context(Transcript("text", AT, lines), ENGLISH)["lines"]
    assert [line["turn"] for line in found] == [True, False, True, False, True, False, True]
    assert [line["day"] for line in found] == [""] * 6 + ["25 November 2026"]


def test_what_floods_gets_a_place_of_its_own_and_empty_lines_are_one() -> None:
    lines = context(
        said("a\n\n \n\t\n\n\nb", "\n\n x \n\n", "\n" * 11 + "x\n" * 11 + "x", "y" * 201, "z" * 200), ENGLISH
    )["lines"]
    assert [line["text"] for line in lines[:2]] == ["a\n\nb", " x "]
    assert [line["long"] for line in lines] == [False, False, True, True, False]


def test_what_cannot_be_seen_is_nothing_that_two_have_in_common() -> None:
    assert context(said("x", common=("tea", "\u3164", "\u200b ")), ENGLISH)["common"] == ["tea"]


def test_the_page_of_a_chat_is_in_the_readers_language() -> None:
    german = spoken()["de"]
    page = context(said("one", "two"), german)
    assert page["day"] == "24. November 2026"
    assert page["about"] == "16:05 UTC, Text, weniger als eine Minute, 2 Nachrichten."
    assert as_text(said("hi"), german).splitlines()[-1] == "[16:05:09] Person 1: hi"


def test_reactions_are_shown_at_their_line_by_name_and_an_unknown_face_is_not() -> None:
    faces = ((0, "thumb"), (1, "heart"), (1, "of tomorrow"))
    whole = Transcript("text", AT, (Line(0, AT, "hello", faces), Line(1, AT, "hi")))
    first, second = context(whole, ENGLISH)["lines"]
    assert [(one["side"], one["name"]) for one in first["faces"]] == [(1, "thumbs up"), (2, "heart")]
    assert second["faces"] == []
    assert as_json(whole)["messages"][0]["reactions"] == [{"from": 1, "face": "thumb"}, {"from": 2, "face": "heart"}]
    assert "reactions" not in as_json(whole)["messages"][1]
    text = as_text(whole, ENGLISH)
    assert "\n    Stranger 1: \U0001f44d\n    Stranger 2: \u2764\ufe0f\n[16:05:09] Stranger 2: hi\n" in text
