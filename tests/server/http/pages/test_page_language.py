"""Which language a browser is answered in."""

import pytest

from server.http.pages.page_language import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,de;q=0.5", "de"),
        ("xx, *;q=0.1", "en"),
        ("DE", "de"),
        ("de;q=0.3, nb;q=0.7", "nb"),
        ("de;q=0, nb;q=0.1", "nb"),
        ("no", "nb"),
        ("nn-NO,en;q=0.5", "nb"),
        ("de-CH-1996;q=x, nb", "nb"),
        ("a" * 10_000, "en"),
    ],
)
def test_an_answer_comes_in_the_best_language_that_there_is(header: str, language: str) -> None:
    assert preferred(header, ("en", "de", "nb")) == language
