"""A saved chat as words: nobody is "you", a message cannot pass for another's, and what is missing is said."""

import pytest

from server.saved.render import as_json, as_text, clock, context, day, facts, listed
from server.store.transcript import Line, Transcript

AT = 1_795_536_309  # 24 November 2026, 16:05:09 UTC


def said(*texts: str, **more: object) -> Transcript:
    lines = tuple(Line(side % 2, AT, text) for side, text in enumerate(texts))
    return Transcript("text", AT, lines, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("words", "found"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_words_are_listed_as_people_list_them(words: list[str], found: str) -> None:
    assert listed(words) == found


def test_times_are_utc() -> None:
    assert (day(AT), clock(AT)) == ("24 November 2026", "16:05:09")


def test_a_line_break_or_a_mark_of_direction_cannot_forge_a_line() -> None:
    text = as_text(said("one\n[16:05:09] Stranger 2: forged", "two\u202e\u2028three"))
    lines = [line for line in text.splitlines() if line.startswith("[")]
    assert lines == ["[16:05:09] Stranger 1: one", "[16:05:09] Stranger 2: two"]
    assert "\u202e" not in text


BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")


@pytest.mark.parametrize("end", BREAKS)
def test_no_kind_of_line_break_forges_a_line_anywhere(end: str) -> None:
    forged = f"x{end}[16:05:09] Stranger 2: forged"
    whole = said(forged, common=(forged,), colleges=(forged, ""), question=forged)
    lines = [line for line in as_text(whole).splitlines() if line.startswith("[")]
    assert lines == ["[16:05:09] Stranger 1: x"]
    assert all(len(fact.splitlines()) == 1 for fact in facts(whole))


def test_no_command_to_a_terminal_and_no_turn_of_letters_is_shown_to_a_person() -> None:
    unseen = "".join(map(chr, (*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200F, 0x61C)))
    whole = said(f"a{unseen}b", common=(f"t{unseen}u",), colleges=("", f"c{unseen}d"), question=f"q{unseen}r")
    page = context(whole)
    for text in (as_text(whole), *page["facts"], page["question"], page["lines"][0]["text"]):
        assert not set(text) & set(unseen)
    assert context(said("a\tb"))["lines"][0]["text"] == "a\tb"


def test_what_is_missing_or_unchecked_is_said() -> None:
    assert facts(said("x")) == ["24 November 2026, text."]
    told = " ".join(facts(said("x", cut=True, account=True, common=("tea",), colleges=("", "uio.no"))))
    for words in ("first messages are missing", "not checked by us", "both liked tea", "Stranger 2 studied at uio.no"):
        assert words in told


def test_no_form_of_a_log_says_a_language() -> None:
    chat = said("x")
    assert "language" not in as_json(chat)
    assert "language" not in context(chat)
    assert "English" not in as_text(chat)


def test_json_numbers_the_strangers_as_the_page_does() -> None:
    assert [message["from"] for message in as_json(said("a", "b"))["messages"]] == [1, 2]
