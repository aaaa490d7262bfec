"""Frames of the native protocol become the events that clients of the other one know, a match in the order they can bear."""

from typing import Any

import orjson
import pytest

from server.site.omegle import omegle_event_encoding


def names(batch: list[bytes]) -> list[str]:
    return [orjson.loads(event)[0] for event in batch]


def test_a_match_begins_with_connected_and_ends_with_the_digests() -> None:
    frame: dict[str, Any] = {
        "common": ["tea"],
        "language": "en",
        "question": "Why?",
        "college": "uio.no",
        "offer": True,
    }
    batch = omegle_event_encoding.match(frame, "en", "d")
    assert names(batch) == [
        "connected", "commonLikes", "question", "partnerCollege", "serverMessage", "rtccall", "identDigests",
    ]  # fmt: skip
    assert names(omegle_event_encoding.match({"common": [], "language": "no"}, "en", "d")) == [
        "connected",
        "identDigests",
    ]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (omegle_event_encoding.message({"text": "hi"}), ["gotMessage", "hi"]),
        (omegle_event_encoding.message({"text": "hi", "from": 2}), ["spyMessage", "Stranger 2", "hi"]),
        (omegle_event_encoding.typing({"typing": True}), ["typing"]),
        (omegle_event_encoding.typing({"typing": False, "from": 1}), ["spyStoppedTyping", "Stranger 1"]),
        (omegle_event_encoding.left({}), ["strangerDisconnected"]),
        (omegle_event_encoding.left({"from": 1}), ["spyDisconnected", "Stranger 1"]),
    ],
)
def test_a_spy_hears_who_of_the_two_it_was(told: bytes, found: list[str]) -> None:
    assert orjson.loads(told) == found


def test_a_signal_without_a_word_here_is_left_out() -> None:
    assert omegle_event_encoding.signal({"media": {}}) is None
    assert orjson.loads(omegle_event_encoding.signal({"candidate": None}) or b"") == ["icecandidate", None]


def test_events_are_joined_into_one_list() -> None:
    assert omegle_event_encoding.joined([]) == b"[]"
    assert orjson.loads(omegle_event_encoding.joined([omegle_event_encoding.WAITING, omegle_event_encoding.GONE])) == [
        ["waiting"],
        ["strangerDisconnected"],
    ]


def test_a_warning_is_a_sentence_with_its_rule_and_the_address_of_the_appeal() -> None:
    frame = {"type": "notice", "id": "n", "rule": "R4", "reason": "No hate or harassment.", "appeal": "/appeal/x"}
    name, text = orjson.loads(omegle_event_encoding.notice(frame, "chat.example"))
    assert name == "serverMessage"
    assert "Rule R4: No hate or harassment." in text
    assert text.endswith("chat.example/appeal/x")
