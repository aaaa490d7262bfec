"""Signals on the real server: in order, bounded, for video chats only; whoever sends nonsense hears it, and the chat goes on."""

import json
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from tests.ext.net.rig import frame
from tests.server.site.web.servers import Server
from tests.support.wire import Wire, meet

SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
HOST = {"candidate": "candidate:1 1 udp 1 192.0.2.1 5000 typ host", "sdpMid": "0", "sdpMLineIndex": 0}
RELAY = {"candidate": "candidate:1 1 udp 1 198.51.100.9 5000 typ relay raddr 192.0.2.1 rport 1", "sdpMid": "0"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows a TURN server."""
    made = Server(
        tmp_path_factory.mktemp("data"),
        SERENDIP_VIDEO__TURN="turn:127.0.0.1:9",
        SERENDIP_VIDEO__STUN="stun:127.0.0.1:9",
    )
    yield made
    made.stop()


def config(server: Server) -> dict[str, object]:
    """What the page may know."""
    with urlopen(f"{server.url}api/config") as answer:  # noqa: S310 - our own server
        found: dict[str, object] = json.load(answer)
    return found


def test_the_page_learns_that_there_is_video_and_a_relay(server: Server) -> None:
    found = config(server)
    assert (found["video"], found["relay"]) == (True, True)
    assert "video" in found["modes"]  # type: ignore[operator]


def test_one_of_two_makes_the_offer_and_both_get_servers_of_their_own(server: Server) -> None:
    with Wire(server.port) as one, Wire(server.port) as two:
        for wire in (one, two):
            wire.send({"type": "find", "mode": "video", "interests": ["offer"]})
        told = [wire.until("matched") for wire in (one, two)]
        assert sorted(side["offer"] for side in told) == [False, True]
        names = [side["ice"][1]["username"] for side in told]
        assert names[0] != names[1]
        assert all(side["ice"][0] == {"urls": ["stun:127.0.0.1:9"]} for side in told)


def test_signals_arrive_in_order_among_messages_as_they_were_sent(server: Server) -> None:
    one, two = meet(server.port, "order", mode="video")
    with one, two:
        parts = [
            {"description": {"type": "offer", "sdp": SDP}},
            *[{"candidate": {**HOST, "sdpMid": str(n)}} for n in range(20)],
        ]
        parts += [{"candidate": None}, {"media": {"camera": False}}]
        one.send(*[{"type": "signal", **part} for part in parts], {"type": "message", "text": "seen?"})
        assert [two.read() for _ in parts] == [{"type": "signal", **part} for part in parts]
        assert two.read()["text"] == "seen?"


def test_with_a_hidden_address_on_one_side_neither_sides_signals_hold_one(server: Server) -> None:
    with Wire(server.port) as one, Wire(server.port) as two:
        one.send({"type": "find", "mode": "video", "interests": ["hidden"], "relay": True})
        two.send({"type": "find", "mode": "video", "interests": ["hidden"]})
        for wire in (one, two):
            assert [entry["urls"] for entry in wire.until("matched")["ice"]] == [["turn:127.0.0.1:9"]]
        for here, there in ((one, two), (two, one)):
            here.send({"type": "signal", "candidate": HOST}, {"type": "signal", "candidate": RELAY})
            here.send({"type": "signal", "description": {"type": "offer", "sdp": SDP}})
            heard = [there.read(), there.read()]
            assert "192.0.2.1" not in json.dumps(heard)
            assert "198.51.100.9" in heard[0]["candidate"]["candidate"]
            here.send({"type": "signal", "description": {"type": "offer", "sdp": "<script>alert(1)</script>"}})
            assert here.read()["code"] == "bad_field"


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"description": {"type": "offer", "sdp": "x" * 40_000}}, "too_long"),
        ({"description": {"type": "marriage", "sdp": SDP}}, "bad_field"),
        ({"description": {"type": "offer", "sdp": ""}}, "bad_field"),
        ({"description": SDP}, "bad_field"),
        ({"description": None}, "bad_field"),
        ({"candidate": {"candidate": "x" * 3_000}}, "too_long"),
        ({"candidate": {"candidate": 1}}, "bad_field"),
        ({"candidate": {"candidate": "", "sdpMLineIndex": -1}}, "bad_field"),
        ({"candidate": []}, "bad_field"),
        ({"media": {"camera": 1}}, "bad_field"),
        ({"description": {"type": "offer", "sdp": SDP}, "candidate": None}, "bad_field"),
        ({}, "bad_field"),
    ],
)
def test_a_wrong_signal_is_an_error_to_its_sender_and_the_chat_goes_on(
    server: Server, part: dict[str, object], code: str
) -> None:
    one, two = meet(server.port, f"wrong {code} {str(part)[:40]}", mode="video")
    with one, two:
        one.send({"type": "signal", **part}, {"type": "message", "text": "still here"})
        assert one.read()["code"] == code
        assert two.read()["text"] == "still here"


def test_script_in_a_description_is_text_to_the_other_side(server: Server) -> None:
    one, two = meet(server.port, "script", mode="video")
    with one, two:
        evil = {"type": "signal", "description": {"type": "offer", "sdp": "<img onerror=alert(1)>\u2028</script>"}}
        one.send(evil)
        assert two.read() == evil


def test_malformed_json_inside_a_signal_is_an_error(server: Server) -> None:
    one, two = meet(server.port, "malformed", mode="video")
    with one, two:
        one.send(frame(b'{"type":"signal","candidate":{"candidate":'))
        assert one.read()["code"] == "bad_json"
        one.send({"type": "signal", "candidate": None})
        assert two.read() == {"type": "signal", "candidate": None}


def test_a_thousand_candidates_are_too_fast_but_for_the_burst_and_the_chat_goes_on(server: Server) -> None:
    one, two = meet(server.port, "many", mode="video")
    with one, two:
        for _ in range(10):
            one.send(*[{"type": "signal", "candidate": HOST}] * 100)
        assert one.read()["code"] == "too_fast"
        one.send({"type": "message", "text": "enough"})
        passed = 0
        while (told := two.read())["type"] == "signal":
            passed += 1
        assert told["text"] == "enough"
        assert 0 < passed <= 400


def test_ten_thousand_candidates_are_a_flood_that_ends_its_sender_s_connection_alone(server: Server) -> None:
    one, two = meet(server.port, "flood", mode="video")
    here, there = meet(server.port, "neighbours", mode="video")
    with one, two, here, there:
        for _ in range(100):
            one.send(*[{"type": "signal", "candidate": HOST}] * 100)
        while (told := one.read())["code"] == "too_fast":
            pass
        assert told["code"] == "flood"
        assert told["retry_after"] > 0
        assert two.until("partner")["state"] == "away"  # the chat waits for one who comes back in time
        here.send({"type": "message", "text": "did you hear that?"})
        assert there.read()["text"] == "did you hear that?"


def test_a_frame_over_64_kib_closes_with_too_big(server: Server) -> None:
    one, two = meet(server.port, "big", mode="video")
    with one, two:
        one.send({"type": "signal", "description": {"type": "offer", "sdp": "x" * 70_000}})
        assert one.closed() == 1009
        assert two.until("left")["by"] == "lost"


def test_a_text_chat_takes_no_signal_and_neither_does_nobody(server: Server) -> None:
    one, two = meet(server.port, "text only")
    with one, two:
        one.send({"type": "signal", "description": {"type": "offer", "sdp": SDP}})
        assert one.read()["code"] == "bad_type"
        one.send({"type": "leave"}, {"type": "signal", "candidate": None})
        assert one.read()["code"] == "no_chat"
        assert two.read() == {"type": "left", "by": "stranger"}


def test_a_text_client_is_never_matched_into_video(server: Server) -> None:
    with Wire(server.port) as one, Wire(server.port) as two:
        one.send({"type": "find", "interests": ["apart"]})
        two.send({"type": "find", "interests": ["apart"], "mode": "video"})
        for wire in (one, two):
            assert wire.read()["type"] == "waiting"
            wire.quiet()


def test_without_turn_nobody_is_promised_a_hidden_address_and_video_can_be_off(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Server(tmp_path_factory.mktemp("data"))
    try:
        assert config(server)["relay"] is False
        with Wire(server.port) as one:
            one.send({"type": "find", "mode": "video", "relay": True})
            assert one.read()["code"] == "no_turn"
    finally:
        server.stop()
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_VIDEO__ENABLED="false")
    try:
        assert "video" not in config(server)
        with Wire(server.port) as one:
            one.send({"type": "find", "mode": "video"})
            assert one.read()["code"] == "bad_field"
    finally:
        server.stop()
