"""What a signal may hold; what is refused of one stands with the other frames (tests/engine/wire/test_client_requests.py)."""

import pytest

from engine.wire.engine_errors import Refusal
from engine.wire.protocol import DESCRIPTIONS
from engine.wire.signal_checks import answers, checked


def test_known_fields_alone_are_passed_on() -> None:
    described = {"type": "offer", "sdp": "v=0"}
    assert checked({"description": described | {"more": 1}, "type": "signal"}) == {"description": described}
    part = {"candidate": "x", "sdpMid": None, "sdpMLineIndex": 0, "more": 1}
    assert checked({"candidate": part}) == {"candidate": {"candidate": "x", "sdpMid": None, "sdpMLineIndex": 0}}
    assert checked({"candidate": None}) == {"candidate": None}
    assert checked({"media": {"camera": False, "more": 1}}) == {"media": {"camera": False}}


@pytest.mark.parametrize(
    "body", [{"media": {"camera": 1}}, {"media": {}}, {"media": None}, {}, {"candidate": None, "media": {}}]
)
def test_the_rest_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        checked(body)


def test_what_begins_a_picture() -> None:
    begin = [kind for kind in DESCRIPTIONS if answers(checked({"description": {"type": kind, "sdp": "v=0"}}))]
    assert begin == ["answer", "pranswer"]
    assert not answers({"candidate": None})
