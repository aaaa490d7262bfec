"""Those who ask alike share one object, and the pools follow from it."""

import pytest

from engine.matching import search_criteria
from engine.matching.search_criteria import NAMES, Terms, shared
from engine.matching.tickets import Pool


def asked(college: str | None = None, same: bool = False, language: str = "en", writes: str = "*") -> Terms:
    return shared((language, "stranger", False, False, False, False, college, same, writes))


def test_those_who_ask_alike_share_one_object() -> None:
    assert asked() is asked()
    assert asked() is not asked(college="uio.no")
    assert [getattr(asked("uio.no", True), name) for name in NAMES] == [
        "en",
        "stranger",
        False,
        False,
        False,
        False,
        "uio.no",
        True,
        "*",
    ]


def test_any_college_also_looks_into_the_pool_of_its_own() -> None:
    own = Pool(college="uio.no")
    assert (asked().pool, asked().also) == (Pool(), ())
    assert (asked("uio.no").pool, asked("uio.no").also) == (Pool(college="any"), (own,))
    assert (asked("uio.no", True).pool, asked("uio.no", True).also) == (own, ())


def test_the_partner_is_told_what_somebody_of_any_language_writes() -> None:
    assert [asked(language="de").told, asked(language="*", writes="fr").told, asked(language="*").told] == [
        "de",
        "fr",
        "*",
    ]


def test_languages_without_end_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_criteria, "_MOST", 3)
    for number in range(10):
        asked(language=f"x{number}")
    assert len(search_criteria._shared) <= 3
