"""Faces and names of an evening: of the chat alone, and the two of a chat differ."""

from hypothesis import given
from hypothesis import strategies as st

from server.http.words.catalogue import languages
from server.http.words.chat_faces import drawn, faces_of, name_of
from server.http.words.sentence_formatter import said


@given(st.integers(0, 2**63 - 1))
def test_the_two_of_a_chat_have_colours_and_names_that_differ(number: int) -> None:
    one, two = faces_of(f"{number:x}")
    assert drawn(one)["hue"] != drawn(two)["hue"]
    for language in ("en", "de", "ja"):
        assert name_of(one, said()[language]) != name_of(two, said()[language])
    assert all(drawn(face)["hue"] != drawn(face)["pale"] for face in (one, two))


def test_each_language_has_as_many_colours_and_animals_none_twice() -> None:
    for language in languages():
        t = said()[language]
        for key, count in (("face.colours", 16), ("face.animals", 32)):
            words = t.text(key).split(", ")
            assert len(words) == len(set(words)) == count, (language, key)
