"""What the client says, as it goes over the wire."""

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
