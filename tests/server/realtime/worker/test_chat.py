"""Two programs meet on the real server, talk and part; and whoever misbehaves costs nobody else anything."""

import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ext.net.rig import CLOSE, frame
from tests.server.site.web.servers import Server
from tests.support.wire import Wire, meet


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests here, with the limits of a person as they ship."""
    made = Server(
        tmp_path_factory.mktemp("data"), SERENDIP_LIMITS__CONNECTIONS="10000", SERENDIP_LIMITS__CONNECT_BURST="10000"
    )
    yield made
    made.stop()


def test_two_programs_meet_by_a_common_interest_talk_and_part(server: Server) -> None:
    with Wire(server.port) as one, Wire(server.port) as two:
        assert set(one.hello) == {"type", "session", "token", "online", "grace", "statement"}
        one.send({"type": "find", "interests": ["Sourdough", "sailing"]})
        assert one.read()["accepts"] in {"good", "any"}
        two.send({"type": "find", "interests": ["chess", "SAILING"]})
        mine, theirs = one.until("matched"), two.until("matched")
        assert (mine["common"], theirs["common"]) == (["sailing"], ["SAILING"])
        assert mine["chat"] == theirs["chat"]
        one.send({"type": "typing", "typing": True}, {"type": "message", "text": "hi “you”", "id": "a"})
        assert two.read() == {"type": "typing", "typing": True}
        assert two.read() == {"type": "message", "seq": 1, "text": "hi “you”"}
        assert one.read() == {"type": "sent", "id": "a", "seq": 1}
        two.send({"text": "hello", "type": "message"})
        assert one.read() == {"type": "message", "seq": 2, "text": "hello"}
        one.send({"type": "leave"})
        assert two.read() == {"type": "left", "by": "stranger"}
        one.quiet()
        two.send({"type": "message", "text": "gone?"})
        assert two.read()["code"] == "no_chat"


@pytest.mark.parametrize(
    ("why", "behind", "by"),
    [
        ("leave", frame(b'{"type":"leave"}'), "stranger"),
        ("find", frame(b'{"type":"find","interests":["elsewhere"]}'), "stranger"),
        ("close", frame((1000).to_bytes(2), CLOSE), "stranger"),
        ("a broken frame", b"\xf1\x80\0\0\0\0", "lost"),
    ],
)
def test_a_message_before_the_end_arrives_and_nothing_behind_it_does(
    server: Server, why: str, behind: bytes, by: str
) -> None:
    one, two = meet(server.port, f"gate {why}")
    with one, two:
        one.send({"type": "message", "text": "before"}, behind, {"type": "message", "text": "behind"})
        assert two.read() == {"type": "message", "seq": 1, "text": "before"}
        assert two.read() == {"type": "left", "by": by}
        two.quiet()


BAD_FRAMES: list[tuple[str, bytes, str]] = [
    ("no JSON", b"hello", "bad_json"),
    ("half an object", b'{"type":"message"', "bad_json"),
    ("an array", b"[]", "bad_json"),
    ("deep nesting", b"[" * 5000 + b"]" * 5000, "bad_json"),
    ("a number too large", b'{"type":1e999}', "bad_json"),
    ("no type", b"{}", "bad_type"),
    ("an unknown type", b'{"type":"dance"}', "bad_type"),
    ("a type that is no string", b'{"type":5}', "bad_type"),
    ("resume in the middle", b'{"type":"resume","token":"x","last":0}', "bad_type"),
    ("a signal in a text chat", b'{"type":"signal","candidate":null}', "bad_type"),
    ("no text", b'{"type":"message"}', "bad_field"),
    ("a text that is no string", b'{"type":"message","text":7}', "bad_field"),
    ("null for a text", b'{"type":"message","text":null}', "bad_field"),
    ("an empty text", b'{"type":"message","text":""}', "empty"),
    ("2,001 code points", b'{"type":"message","text":"' + b"x" * 2001 + b'"}', "too_long"),
    ("a C0 control", b'{"type":"message","text":"a\\u0007"}', "control"),
    ("a C1 control", '{"type":"message","text":"a\u0085"}'.encode(), "control"),
    ("a lone surrogate", b'{"type":"message","text":"\\ud83d"}', "control"),
    ("typing that is no bool", b'{"type":"typing","typing":1}', "bad_field"),
    ("an id of 65 bytes", b'{"type":"message","text":"a","id":"' + b"i" * 65 + b'"}', "too_long"),
    ("a report without a known reason", b'{"type":"report","reason":"rude"}', "bad_field"),
]


@pytest.mark.parametrize(("why", "payload", "code"), BAD_FRAMES)
def test_a_bad_frame_is_told_and_the_chat_goes_on(server: Server, why: str, payload: bytes, code: str) -> None:
    one, two = meet(server.port, f"bad {why}")
    with one, two:
        one.send(frame(payload), {"type": "message", "text": "still here"})
        error = one.read()
        assert (error["type"], error["code"]) == ("error", code), why
        assert error["message"]
        assert two.read()["text"] == "still here"


@pytest.mark.parametrize(
    ("why", "data", "code"),
    [
        ("not UTF-8", frame(b"\xff"), 1007),
        ("binary", frame(b"x", 2), 1003),
        ("a frame over 64 KiB", frame(b"x" * 65537), 1009),
        ("pieces over 64 KiB", frame(b"x" * 40000, fin=False) + frame(b"x" * 40000, opcode=0), 1009),
        ("a reserved bit", b"\xc1\x80\0\0\0\0", 1002),
    ],
)
def test_a_broken_connection_costs_the_partner_no_more_than_this_chat(
    server: Server, why: str, data: bytes, code: int
) -> None:
    one, two = meet(server.port, f"broken {why}")
    with one, two:
        one.send(data)
        assert one.closed() == code, why
        assert two.read() == {"type": "left", "by": "lost"}
        two.quiet()


@pytest.mark.parametrize(
    ("why", "interests", "code"),
    [
        ("33 interests", [f"i{index}" for index in range(33)], "too_long"),
        ("a thousand", ["x"] * 1000, "too_long"),
        ("one of 10 KB", ["x" * 10240], "too_long"),
        ("one of 65 code points", ["x" * 65], "too_long"),
        ("nothing visible", ["\u200b\u200d"], "empty"),
        ("a control character", ["a\x00b"], "control"),
        ("no string", [5], "bad_field"),
        ("no list", "sailing", "bad_field"),
    ],
)
def test_interests_that_cannot_be_are_refused(server: Server, why: str, interests: Any, code: str) -> None:
    with Wire(server.port) as one:
        one.send({"type": "find", "interests": interests})
        error = one.read()
        assert (error["code"], error["of"]) == (code, "find"), (why, error)
        one.quiet()


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("Café", "CAFE\u0301"),
        ("ｊａｚｚ", "jazz"),
        ("  rock  'n'  roll ", "rock 'n' roll"),
        ("Straße", "STRASSE"),
        ("pop\u200bcorn", "popcorn"),
        ("раусом", "раусом"),
        ("🧁🎣", "🧁🎣"),
        ("شعر", "شعر"),
    ],
)
def test_two_spellings_of_one_word_match_and_each_keeps_their_own(server: Server, mine: str, theirs: str) -> None:
    with Wire(server.port) as one, Wire(server.port) as two:
        one.send({"type": "find", "interests": [mine], "strict": True})
        two.send({"type": "find", "interests": [theirs], "strict": True})
        assert [one.until("matched")["common"], two.until("matched")["common"]] == [[mine], [theirs]]


def test_who_stops_reading_is_told_to_the_flooder_whose_leave_is_still_heard(server: Server) -> None:
    one, two = meet(server.port, "deaf")
    other, friend = meet(server.port, "bystanders")
    with one, two, other, friend:
        codes = set()
        for _ in range(60):
            one.send(*[{"type": "message", "text": "x" * 1900, "id": "n"} for _ in range(10)])
            for _ in range(10):
                answer = one.read()
                codes.add(answer.get("code", answer["type"]))
            other.send({"type": "message", "text": "."})
            friend.until("message")
        assert codes <= {"sent", "slow", "too_fast"}
        one.send({"type": "leave"}, {"type": "ping"})
        assert one.read() == {"type": "pong"}
        assert two.until("left") == {"type": "left", "by": "stranger"}


def test_a_thousand_finds_are_too_fast_and_harm_nobody(server: Server) -> None:
    one, two = meet(server.port, "calm")
    with one, two, Wire(server.port) as hasty:
        hasty.send(*[{"type": "find", "interests": ["hurry"]} for _ in range(1000)])
        codes = [hasty.read() for _ in range(1000)]
        assert [answer["type"] for answer in codes[:10]].count("error") == 0
        assert {answer["code"] for answer in codes if answer["type"] == "error"} == {"too_fast"}
        assert all(answer["retry_after"] > 0 for answer in codes if answer["type"] == "error")
        one.send({"type": "message", "text": "fine?"})
        assert two.read()["text"] == "fine?"


def test_five_thousand_connections_that_never_speak_do_not_disturb_a_chat(server: Server) -> None:
    silent = [
        socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.2", 0)) for _ in range(5000)
    ]
    try:
        one, two = meet(server.port, "crowded")
        with one, two:
            one.send({"type": "message", "text": "hello"})
            assert two.read()["text"] == "hello"
    finally:
        for sock in silent:
            sock.close()


@pytest.mark.parametrize(
    ("fields", "status"), [({"origin": "https://evil.example"}, 403), ({"sec_websocket_version": "8"}, 426)]
)
def test_who_may_not_come_in_is_told_so(server: Server, fields: dict[str, str], status: int) -> None:
    with Wire(server.port, **fields) as wire:
        assert wire.status == status


def test_a_stop_tells_everybody_to_come_back_and_both_sides_that_it_is_over(tmp_path: Any) -> None:
    server = Server(tmp_path)
    one, two = meet(server.port, "last words")
    with one, two:
        server.stop(signal.SIGTERM)
        for wire in (one, two):
            assert wire.read() == {"type": "left", "by": "lost"}
            error = wire.read()
            assert (error["code"], error["type"]) == ("restart", "error")
            assert error["retry_after"] > 0
            assert wire.closed() == 1012


def test_a_report_is_taken_and_answered(server: Server) -> None:
    one, two = meet(server.port, "reported")
    with one, two:
        one.send({"type": "report", "reason": "spam", "note": "adverts"})
        answer = one.read()
        assert answer["type"] == "reported"
        one.send({"type": "report", "reason": "threat"})
        assert one.read() == answer  # the same receipt
        two.quiet()
