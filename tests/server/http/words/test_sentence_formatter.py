"""Sentences of documents: forms, numbers, days and links, and nothing unescaped."""

import pytest
from markupsafe import Markup

from server.http.words.sentence_formatter import Said, said

AT = 1_795_536_309  # 24 November 2026, UTC
ENGLISH, ARABIC, RUSSIAN = (said()[language] for language in ("en", "ar", "ru"))


def test_what_is_filled_in_is_escaped_for_html_and_as_it_is_in_text() -> None:
    assert ENGLISH("saved.studied", n=2, college="<b>") == Markup("Stranger 2 studied at &lt;b&gt;.")
    assert ENGLISH("saved.studied", n=2, college=Markup("<bdi>x</bdi>")) == Markup(
        "Stranger 2 studied at <bdi>x</bdi>."
    )
    assert ENGLISH.text("saved.studied", n=2, college="<b>") == "Stranger 2 studied at <b>."


@pytest.mark.parametrize(("n", "text"), [(1, "1 минута"), (3, "3 минуты"), (5, "5 минут"), (21, "21 минута")])
def test_a_number_has_the_form_of_the_language(n: int, text: str) -> None:
    assert RUSSIAN.text("saved.minutes", n=n) == text


def test_numbers_days_and_lists_are_written_as_the_language_has_them() -> None:
    assert ENGLISH.text("saved.messages", n=1204) == "1,204 messages"
    assert said()["de"].text("saved.messages", n=1204) == "1.204 Nachrichten"
    assert said()["ja"].day(AT) == "2026年11月24日"
    assert ENGLISH.day(AT) == "24 November 2026"
    assert ENGLISH.listed(["a", "b", "c"]) == "a, b and c"
    assert (ARABIC.direction, ARABIC.name) == ("rtl", "العربية")


@pytest.mark.parametrize("language", said().values(), ids=lambda language: language.language)
def test_links_are_made_of_every_sentence_that_has_them(language: Said) -> None:
    shown = language.linked("rules.tell", notice="/notice?a&b", parents="/parents", transparency="/transparency")
    assert shown.count("<a href=") == 3
    assert 'href="/notice?a&amp;b"' in shown
    assert "](" not in shown


def test_a_moment_is_a_day_and_a_minute_in_utc() -> None:
    assert ENGLISH.moment(AT) == "24 November 2026, 16:05 UTC"
    assert said()["ja"].moment(0) == "1970年1月1日 00:00 UTC"


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(KeyError):
        ENGLISH("nothing.of.this")
    with pytest.raises(KeyError):
        ENGLISH.text("saved.studied", n=1)
    with pytest.raises(KeyError):
        ENGLISH.linked("rules.tell", notice="/notice")


def test_months_lengths_shares_and_choices_are_written_as_the_language_has_them() -> None:
    assert (ENGLISH.date("2026-11-24"), ARABIC.date("2026-11-24")) == ("24 November 2026", "24 نوفمبر 2026")
    assert (ENGLISH.month("2026-11"), ARABIC.month("2026-11")) == ("November 2026", "نوفمبر 2026")
    assert [ENGLISH.span(seconds) for seconds in (900, 7_200, 604_800, 5_000, 1)] == [
        "15 minutes", "2 hours", "7 days", "83 minutes", "1 minute",
    ]  # fmt: skip
    assert [RUSSIAN.span(days * 86_400) for days in (1, 3, 7)] == ["1 день", "3 дня", "7 дней"]
    assert (ENGLISH.share(0.7), ENGLISH.number(1204)) == ("70%", "1,204")
    assert (ENGLISH.listed(["a", "b"], "or"), said()["de"].listed(["a", "b"], "or")) == ("a or b", "a oder b")


def test_a_sentence_is_a_translation_of_its_own_english_alone() -> None:
    english = ENGLISH.text("declared.equal")
    assert RUSSIAN.translates("declared.equal", english)
    assert not RUSSIAN.translates("declared.equal", f"{english} And more.")
    assert not RUSSIAN.translates("declared.nothing", english)


def test_an_installation_is_called_by_its_name_and_mails_are_found_by_the_same_word() -> None:
    for language in said():
        t = said("Harbour & {Friends}")[language]
        assert "Harbour & {Friends}" in t.text("about.title")
        assert "Harbour &amp; {Friends}" in t("about.title")
        assert "Serendip" not in t.text("mail.subject", code="123456")
        assert "Serendip-Privacy" in t.text("rights.mail.text", words="know")
        assert "{Friends}" in t.linked("rules.R1")
        assert "Serendip" in said()[language].text("about.title")
