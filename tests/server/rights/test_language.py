"""In which language these pages come."""

import re

import pytest
from aiohttp.test_utils import make_mocked_request

from server.rights.language import WORDS, language


@pytest.mark.parametrize(
    ("path", "header", "name", "query"),
    [
        ("/", "", "en", ""),
        ("/", "de-AT,de;q=0.9", "de", ""),
        ("/", "xx,de;q=0.5", "de", ""),
        ("/?lang=de", "en", "de", "?lang=de"),
        ("/?lang=../en", "de", "de", ""),
        ("/?lang=xx", "fr", "en", ""),
    ],
)
def test_what_somebody_chose_goes_first_and_stays(path: str, header: str, name: str, query: str) -> None:
    found = language(make_mocked_request("GET", path, headers={"Accept-Language": header}))
    assert (found.name, found.query) == (name, query)
    assert found.said is WORDS[name]


def test_every_language_says_the_same_things() -> None:
    english = WORDS["en"]
    for words in WORDS.values():
        assert words.keys() == english.keys()
        for key, sentence in words.items():
            assert sentence
            assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", english[key]))
