"""Test the frames that the client sends."""

from typing import Any

import pytest

from serendip_client.frames import encoded, find


def test_a_message_is_said_in_the_spelling_that_the_server_reads_in_place() -> None:
    assert (
        encoded({"type": "message", "text": '\u00e9 "x"', "id": "1"})
        == '{"type":"message","text":"\u00e9 \\"x\\"","id":"1"}'.encode()
    )


def test_a_find_without_interests_has_no_such_field_and_knows_its_wishes() -> None:
    assert find((), {"strict": True}) == b'{"type":"find","strict":true}'
    assert find((), {"mode": "video"}) == b'{"type":"find","snaps":true,"mode":"video"}'
    assert find((), {"mode": "video", "snaps": False}) == b'{"type":"find","snaps":false,"mode":"video"}'
    assert find(("tea",), {}) == b'{"type":"find","interests":["tea"]}'
    with pytest.raises(TypeError, match=r"knows no interest$"):
        find((), {"interest": ["tea"]})  # type: ignore[typeddict-unknown-key]


@pytest.mark.parametrize(
    ("wishes", "raised", "words"),
    [
        ({"mode": "vidoe"}, ValueError, "find: mode is one of text, video, not 'vidoe'"),
        ({"role": "Spy"}, ValueError, "find: role is one of stranger, spy, discuss, not 'Spy'"),
        ({"strict": "yes"}, TypeError, "find: strict is a bool, not 'yes'"),
        ({"language": None}, TypeError, "find: language is a str, not None"),
        ({"avoid": "token"}, TypeError, "find: avoid is a list of str, not 'token'"),
    ],
)
def test_a_wish_of_a_wrong_value_is_refused_by_its_name(wishes: Any, raised: type[Exception], words: str) -> None:
    with pytest.raises(raised, match=f"^{words}$"):
        find((), wishes)


def test_interests_are_a_list_of_words() -> None:
    for interests in ("chess", ["chess", 1]):
        with pytest.raises(TypeError, match=r"^find: interests is a list of str"):
            find(interests, {})  # type: ignore[arg-type]
