"""From `/start` to `find`: what is not known is ignored, what cannot be used is dropped, nothing is guessed."""

from typing import Any

import pytest

from server.http.request.forms import Form, read
from server.site.omegle.start_parameters import BadStart, language, parse_find, topics, without_topics


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {"language": "en"}),
        ("lang=no&unknown=1", {"language": "no"}),
        ("topics=%5B%22tea%22%5D", {"language": "en", "interests": ["tea"], "strict": True}),
        ("webrtc=1&adult=1", {"language": "en", "mode": "video", "adult": True}),
        ("wantsspy=1&topics=%5B%22tea%22%5D", {"language": "en", "role": "discuss"}),
        ("ask=Why%3F&cansavequestion=1", {"language": "en", "role": "spy", "question": "Why?", "share": True}),
        ("college=uio.no&college_auth=x&any_college=1", {"language": "en", "college": "any", "proof": "x"}),
    ],
)
def test_a_form_becomes_the_find_that_it_means(asked: str, found: dict[str, Any]) -> None:
    assert parse_find(Form(read(asked))) == {"type": "find", **found}


@pytest.mark.parametrize(
    ("tag", "found"), [("en_US", "en-US"), ("*", "*"), ("", "en"), ("e" * 40, "en"), ("<b>", "en")]
)
def test_a_language_that_cannot_be_read_is_english(tag: str, found: str) -> None:
    assert language(tag) == found


def test_topics_that_are_no_interests_are_dropped() -> None:
    assert topics('["tea", "", "  ", "' + "x" * 65 + '", "a\\u0000b"]') == ["tea", "a b"]
    assert len(topics(str([f"t{number}" for number in range(100)]).replace("'", '"'))) == 32


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[1]", "[" * 2000, '["' + "x" * 20_000 + '"]'])
def test_topics_that_are_no_list_of_texts_are_refused(text: str) -> None:
    with pytest.raises(BadStart):
        topics(text)


def test_anyone_asks_for_the_same_without_topics() -> None:
    find = parse_find(Form(read("lang=no&topics=%5B%22tea%22%5D")))
    assert without_topics(find) == {"type": "find", "language": "no"}
