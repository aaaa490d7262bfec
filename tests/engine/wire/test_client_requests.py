"""What a client's frame is, or what is wrong with it (rule 9)."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wire import client_requests
from engine.wire.client_requests import Find, Message, parse
from engine.wire.engine_errors import Refusal
from engine.wire.protocol import AVOID_MAX, FAULTS, ROLES, SPY, STRANGER
from ext.reactor.debug_hooks import classify

FAMILY = "\U0001f468‍\U0001f469‍\U0001f467"


def find(**fields: Any) -> bytes:
    return json.dumps({"type": "find", **fields}).encode()


def message(**fields: Any) -> bytes:
    return json.dumps({"type": "message", **fields}).encode()


def signal(**fields: Any) -> bytes:
    return json.dumps({"type": "signal", **fields}).encode()


WRONG: list[tuple[str, bytes, str, str | None]] = [
    ("no JSON", b"hello", "bad_json", None),
    ("nothing at all", b"", "bad_json", None),
    ("a list", b"[1]", "bad_json", None),
    ("a number", b"1", "bad_json", None),
    ("bytes behind the object", b'{"type":"ping"}}', "bad_json", None),
    ("a byte order mark", b'\xef\xbb\xbf{"type":"ping"}', "bad_json", None),
    ("not a number", b'{"type":"ping","x":NaN}', "bad_json", None),
    ("a raw control character", b'{"type":"message","text":"\x01"}', "bad_json", None),
    ("two thousand levels", b'{"type":"ping","x":' + b"[" * 2000 + b"]" * 2000 + b"}", "bad_json", None),
    ("sixty thousand levels", b"[" * 60_000, "bad_json", None),
    ("no type", b"{}", "bad_type", None),
    ("a type that is a number", b'{"type":1}', "bad_type", None),
    ("a type that is a list", b'{"type":["find"]}', "bad_type", None),
    ("an unknown type", b'{"type":"shout"}', "bad_type", "shout"),
    ("a server's type", b'{"type":"matched"}', "bad_type", "matched"),
    ("a long unknown type", b'{"type":"' + b"x" * 1000 + b'"}', "bad_type", None),
    ("an unknown type in another script", '{"type":"привет"}'.encode(), "bad_type", None),
    ("half a character", b'{"type":"message","text":"\\ud800"}', "control", "message"),
    ("half a character in an unknown type", b'{"type":"\\udfff"}', "control", None),
    ("half a character in an interest", b'{"type":"find","interests":["\\ud800"]}', "control", "find"),
    ("a message without text", message(), "bad_field", "message"),
    ("a message with a number", message(text=1), "bad_field", "message"),
    ("a message with null", message(text=None), "bad_field", "message"),
    ("an empty message", message(text=""), "empty", "message"),
    ("2,001 characters", message(text="x" * 2001), "too_long", "message"),
    ("2,001 emoji", message(text="\U0001f600" * 2001), "too_long", "message"),
    ("an escaped NUL", b'{"type":"message","text":"\\u0000"}', "control", "message"),
    ("a carriage return", message(text="a\r\n"), "control", "message"),
    ("a C1 control", message(text="\x85"), "control", "message"),
    ("an id that is a number", message(text="x", id=1), "bad_field", "message"),
    ("an id of 65 bytes", message(text="x", id="i" * 65), "too_long", "message"),
    ("an id of 66 bytes in 33 characters", message(text="x", id="é" * 33), "too_long", "message"),
    ("typing without a value", b'{"type":"typing"}', "bad_field", "typing"),
    ("typing with a number", b'{"type":"typing","typing":1}', "bad_field", "typing"),
    ("an unknown mode", find(mode="smoke"), "bad_field", "find"),
    ("a mode that is a list", find(mode=["text"]), "bad_field", "find"),
    ("avoid that is a text", find(avoid="x"), "bad_field", "find"),
    ("avoid that is null", find(avoid=None), "bad_field", "find"),
    ("avoid with a number", find(avoid=["x", 1]), "bad_field", "find"),
    ("17 tokens to avoid", find(avoid=["x"] * 17), "too_long", "find"),
    ("a token of 65 characters", find(avoid=["x" * 65]), "too_long", "find"),
    ("seen without an id", b'{"type":"seen"}', "bad_field", "seen"),
    ("seen with a number", b'{"type":"seen","id":1}', "bad_field", "seen"),
    ("seen with null", b'{"type":"seen","id":null}', "bad_field", "seen"),
    ("seen with an id of 65 characters", b'{"type":"seen","id":"%s"}' % (b"x" * 65), "too_long", "seen"),
    ("snaps that is one", find(snaps=1), "bad_field", "find"),
    ("snaps that is null", find(snaps=None), "bad_field", "find"),
    ("nosnap without a nonce", b'{"type":"nosnap","why":"camera"}', "bad_field", "nosnap"),
    ("nosnap without a reason", b'{"type":"nosnap","nonce":"x"}', "bad_field", "nosnap"),
    ("nosnap for another reason", b'{"type":"nosnap","nonce":"x","why":"shy"}', "bad_field", "nosnap"),
    ("nosnap for a list of reasons", b'{"type":"nosnap","nonce":"x","why":["camera"]}', "bad_field", "nosnap"),
    ("nosnap of a nonce that is a number", b'{"type":"nosnap","nonce":1,"why":"camera"}', "bad_field", "nosnap"),
    ("nosnap of a nonce of 23", b'{"type":"nosnap","nonce":"%s","why":"camera"}' % (b"x" * 23), "too_long", "nosnap"),
    ("33 interests", find(interests=["x"] * 33), "too_long", "find"),
    ("1,000 interests", find(interests=[str(n) for n in range(1000)]), "too_long", "find"),
    ("an interest of 10 KB", find(interests=["x" * 10_240]), "too_long", "find"),
    ("an interest that is a number", find(interests=[1]), "bad_field", "find"),
    ("interests that are a string", find(interests="chess"), "bad_field", "find"),
    ("interests that are null", find(interests=None), "bad_field", "find"),
    ("an empty interest", find(interests=[""]), "empty", "find"),
    ("an interest of spaces", find(interests=["   "]), "empty", "find"),
    ("a control character in an interest", find(interests=["a\nb"]), "control", "find"),
    ("a language of 36 characters", find(language="en-" + "x" * 33), "too_long", "find"),
    ("a language that is none", find(language="!"), "bad_field", "find"),
    ("a language that is a number", find(language=1), "bad_field", "find"),
    ("what is written in a tag of 36 characters", find(writes="en-" + "x" * 33), "too_long", "find"),
    ("what is written in no language", find(writes="de_"), "bad_field", "find"),
    ("what is written as a list", find(writes=["de"]), "bad_field", "find"),
    ("strict that is a string", find(strict="yes"), "bad_field", "find"),
    ("adult that is one", find(adult=1), "bad_field", "find"),
    ("an unknown role", find(role="judge"), "bad_field", "find"),
    ("a role that is a list", find(role=[]), "bad_field", "find"),
    ("a spy by video", find(role="spy", question="Is it so or not?", mode="video"), "bad_field", "find"),
    ("a spy without a question", find(role="spy"), "bad_field", "find"),
    ("a question too short", find(role="spy", question="Why?"), "bad_field", "find"),
    ("a question of spaces", find(role="spy", question=" " * 20), "empty", "find"),
    ("a question too long", find(role="spy", question="x" * 201), "too_long", "find"),
    ("a question with a line break", find(role="spy", question="Is it so\nor not?"), "control", "find"),
    ("an unknown college", find(college="best"), "bad_field", "find"),
    ("a college that is null", find(college=None), "bad_field", "find"),
    ("a proof that is a number", find(college="any", proof=1), "bad_field", "find"),
    ("a long proof", find(college="any", proof="x" * 3000), "too_long", "find"),
    ("a signal of nothing", signal(), "bad_field", "signal"),
    ("a signal of two", signal(candidate=None, media={"camera": True}), "bad_field", "signal"),
    ("a description that is a string", signal(description="v=0"), "bad_field", "signal"),
    ("a description of an unknown type", signal(description={"type": "wish", "sdp": "v=0"}), "bad_field", "signal"),
    ("a description without sdp", signal(description={"type": "offer"}), "bad_field", "signal"),
    ("40 KB of SDP", signal(description={"type": "offer", "sdp": "x" * 40_960}), "too_long", "signal"),
    ("a candidate that is a number", signal(candidate=1), "bad_field", "signal"),
    ("a candidate without candidate", signal(candidate={"sdpMid": "0"}), "bad_field", "signal"),
    ("a candidate of 3 KB", signal(candidate={"candidate": "x" * 3072}), "too_long", "signal"),
    ("a line index that is a bool", signal(candidate={"candidate": "", "sdpMLineIndex": True}), "bad_field", "signal"),
    ("media of nothing", signal(media={}), "bad_field", "signal"),
    ("media that is no bool", signal(media={"camera": 1}), "bad_field", "signal"),
    ("a report without a reason", b'{"type":"report"}', "bad_field", "report"),
    ("a report with an unknown reason", b'{"type":"report","reason":"bored"}', "bad_field", "report"),
    ("a report about nobody", b'{"type":"report","reason":"spam","who":0}', "bad_field", "report"),
    ("a report about a third", b'{"type":"report","reason":"spam","who":3}', "bad_field", "report"),
    ("a long note", b'{"type":"report","reason":"spam","note":"' + b"x" * 1001 + b'"}', "too_long", "report"),
    ("a resume without a token", b'{"type":"resume","last":1}', "bad_field", "resume"),
    ("a resume with a negative number", b'{"type":"resume","token":"x","last":-1}', "bad_field", "resume"),
    ("a resume with a fraction", b'{"type":"resume","token":"x","last":1.5}', "bad_field", "resume"),
    ("a resume with true", b'{"type":"resume","token":"x","last":true}', "bad_field", "resume"),
    ("a token of 2 KB", b'{"type":"resume","last":1,"token":"' + b"x" * 2048 + b'"}', "too_long", "resume"),
    ("a solution without a response", b'{"type":"solution","kind":"altcha"}', "bad_field", "solution"),
]


@pytest.mark.parametrize(("payload", "code", "of"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_named(payload: bytes, code: str, of: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        parse(payload)
    assert (refused.value.code, refused.value.of) == (code, of)
    assert (refused.value.field is not None) == (code == "bad_field")


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (find(mode="vidoe"), "mode"),
        (find(role="spy", mode="video", question="Is it so or not?"), "role"),
        (find(interests=["tea", 1]), "interests"),
        (find(language=1), "language"),
        (find(language="*", writes=1), "writes"),
        (find(avoid=["x", 1]), "avoid"),
        (find(snaps=1), "snaps"),
        (message(text="x", id=1), "id"),
        (message(text=None), "text"),
        (b'{"type":"typing"}', "typing"),
        (b'{"type":"report","reason":"foo"}', "reason"),
        (b'{"type":"report","reason":"spam","who":3}', "who"),
        (b'{"type":"report","reason":"spam","chat":1}', "chat"),
        (signal(media={}), "media"),
        (signal(candidate={"candidate": 1}), "candidate"),
    ],
)
def test_a_bad_field_is_named(payload: bytes, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(payload)
    assert refused.value.field == field


RIGHT: list[tuple[str, bytes, Any]] = [
    ("text of 2,000 emoji", message(text="\U0001f600" * 2000), Message("\U0001f600" * 2000, None)),
    ("line feed and tab", message(text="a\n\tb"), Message("a\n\tb", None)),
    ("the last of two keys counts", b'{"type":"message","text":"a","text":"b"}', Message("b", None)),
    ("the last of two types counts", b'{"type":"message","text":"a","type":"leave"}', client_requests.Leave()),
    ("escaped keys", b'{"t\\u0079pe":"message","te\\u0078t":"a"}', Message("a", None)),
    ("whole pairs", b'{"type":"message","text":"\\ud83d\\ude00"}', Message("\U0001f600", None)),
    ("an id of 64 bytes", message(text="x", id="é" * 32), Message("x", "é" * 32)),
    ("unknown fields", b'{"type":"leave","why":[1,{"a":null}]}', client_requests.Leave()),
    ("a null candidate", signal(candidate=None), client_requests.Signal({"candidate": None})),
    (
        "a rollback",
        signal(description={"type": "rollback"}),
        client_requests.Signal({"description": {"type": "rollback", "sdp": ""}}),
    ),
    (
        "a description loses what it should not have",
        signal(description={"type": "offer", "sdp": "v=0", "x": 1}),
        client_requests.Signal({"description": {"type": "offer", "sdp": "v=0"}}),
    ),
    (
        "a whole candidate",
        signal(candidate={"candidate": "c", "sdpMid": None, "sdpMLineIndex": 0, "usernameFragment": "u", "x": 1}),
        client_requests.Signal(
            {"candidate": {"candidate": "c", "sdpMid": None, "usernameFragment": "u", "sdpMLineIndex": 0}}
        ),
    ),
    (
        "media",
        signal(media={"camera": True, "microphone": False}),
        client_requests.Signal({"media": {"camera": True, "microphone": False}}),
    ),
    ("a resume", b'{"type":"resume","token":"t","last":7,"chat":"c"}', client_requests.Resume("t", 7, "c")),
    ("a report", b'{"type":"report","reason":"other","note":"a\\nb"}', client_requests.Report("other", "a\nb", 0)),
]


@pytest.mark.parametrize(("payload", "request_"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_what_is_right_is_taken(payload: bytes, request_: Any) -> None:
    assert parse(payload) == request_


@pytest.mark.parametrize(
    ("language", "primary"), [("en", "en"), ("EN-gb", "en"), ("zh-Hant-TW", "zh"), ("*", "*"), ("fil", "fil")]
)
def test_a_language_counts_by_its_primary_subtag(language: str, primary: str) -> None:
    request = parse(find(language=language, writes=language))
    assert isinstance(request, Find)
    assert (request.language, request.writes) == (primary, primary)


def test_a_find_of_nothing_has_the_defaults() -> None:
    assert parse(b'{"type":"find"}') == Find(False, [], "en", False, "stranger", None, False, None, "", False, False)


def test_interests_stand_as_typed_in_any_script() -> None:
    words = ["Café", "שלום", FAMILY, "a" * 64]
    request = parse(find(interests=words))
    assert isinstance(request, Find)
    assert request.interests == words


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "text",
                        "id",
                        "interests",
                        "mode",
                        "role",
                        "question",
                        "last",
                        "token",
                        "candidate",
                        "description",
                        "sdp",
                    ]
                )
                | st.text(),
                inner,
                max_size=5,
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_end_in_a_request_or_a_documented_error(payload: bytes) -> None:
    try:
        request = parse(payload)
    except Refusal as refusal:
        fault = FAULTS[refusal.code]
        assert not fault.close
    else:
        assert type(request).__module__ == "engine.wire.client_requests"


@given(
    st.sampled_from(["find", "message", "typing", "signal", "leave", "save", "report", "resume", "solution", "ping"]),
    st.dictionaries(
        st.sampled_from(
            [
                "text",
                "id",
                "interests",
                "mode",
                "role",
                "question",
                "last",
                "token",
                "candidate",
                "typing",
                "language",
                "writes",
                "strict",
                "reason",
                "who",
                "note",
                "college",
                "proof",
                "chat",
                "media",
            ]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=80)
        | st.lists(st.text()),
        max_size=6,
    ),
)
def test_any_known_type_with_any_fields_ends_in_a_request_or_an_error_of_that_type(
    kind: str, fields: dict[str, Any]
) -> None:
    payload = json.dumps({"type": kind, **fields}).encode()
    try:
        parse(payload)
    except Refusal as refusal:
        code, of = refusal.code, refusal.of
        assert code in FAULTS
        assert of in (kind, None)


@given(
    st.text(max_size=40) | st.text(alphabet='"\\\n\t\x00\x7f\x80\x9f\xa0ab', max_size=12),
    st.none() | st.text(max_size=70),
    st.booleans(),
    st.booleans(),
)
def test_the_scanner_in_c_and_this_parser_agree(text: str, id: str | None, spaces: bool, escaped: bool) -> None:
    body = {"type": "message", "text": text} | ({} if id is None else {"id": id})
    payload = json.dumps(body, ensure_ascii=escaped, separators=None if spaces else (",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    kind, raw, raw_id = classify(payload)
    if kind == "message":
        request = parse(payload)
        assert request == Message(
            orjson.loads(b'"' + raw + b'"'), orjson.loads(b'"' + raw_id + b'"') if raw_id else None
        )


def test_all_interests_together_are_bounded_as_typed() -> None:
    most = {"type": "find", "interests": ["x" * 64] * 32}
    assert isinstance(client_requests.parse(orjson.dumps(most)), client_requests.Find)
    with pytest.raises(Refusal) as caught:
        client_requests.parse(orjson.dumps({"type": "find", "interests": ["x" * 64] * 31 + ["x" * 65]}))
    assert caught.value.code == "too_long"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "video"), ("role", "guesser"), ("college", "any"), ("interests", ["go"]), ("language", "fr"), ("strict", True),
        ("share", True), ("proof", "p"), ("relay", True), ("adult", True), ("writes", "de"), ("avoid", ["t"]), ("snaps", True),
    ],
)  # fmt: skip
def test_each_field_of_a_search_is_read_whatever_stands_beside_it(name: str, value: Any) -> None:
    if name == "role":
        value = next(iter(sorted({*ROLES} - {STRANGER, SPY})))
    usual, alone = (parse(orjson.dumps({"type": "find", **more})) for more in ({}, {name: value}))
    assert alone != usual
    for body in (
        {name: value, "type": "find"},
        {"type": "find", "x": 1, name: value, "y": 2},
        {"y": [], name: value, "type": "find"},
    ):
        assert parse(orjson.dumps(body)) == alone
    with pytest.raises(Refusal):
        parse(orjson.dumps({"type": "find", "x": 1, name: None}))


def test_of_two_wrong_fields_the_first_that_is_judged_is_told() -> None:
    wrong = {"avoid": ["t"] * (AVOID_MAX + 1), "interests": [" "], "type": "find"}
    with pytest.raises(Refusal, match="empty"):
        parse(orjson.dumps(wrong))
