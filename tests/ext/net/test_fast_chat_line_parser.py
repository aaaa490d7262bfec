"""Test the scanner: orjson and the rules accept all that it accepts, with the same meaning; it misses no canonical line."""

import json

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ext.reactor.debug_hooks import classify
from tests.ext.net.fuzz_chatline import agree
from tests.support.groups import examples

CONTROL = {chr(code) for code in [*range(0x20), *range(0x7F + 1, 0xA0)]} - {"\n", "\t"}


texts = st.text(st.characters(exclude_characters=CONTROL, exclude_categories=["Cs"]), min_size=1, max_size=400)
ids = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), min_size=1, max_size=64)


@given(texts, st.none() | ids, st.booleans())
@example("x" * 2000, None, False)
@example("😀" * 2000, None, False)
@example('\\"\n\t', "a", True)
def test_a_canonical_line_is_a_message(text: str, id: str | None, first: bool) -> None:
    fields = (
        {"type": "message", "text": text}
        if id is None
        else ({"type": "message", "id": id, "text": text} if first else {"type": "message", "text": text, "id": id})
    )
    data = orjson.dumps(fields)
    kind, found, found_id = classify(data)
    assert kind == "message"
    assert orjson.loads(b'"' + found + b'"') == text
    assert found_id == (id or "").encode()
    agree(data)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=examples(300))
@given(
    st.dictionaries(
        st.sampled_from(["type", "text", "id", "typing", "x", "TYPE"]),
        values | st.sampled_from(["message", "typing", "ping"]),
    ),
    st.booleans(),
)
def test_any_object_means_the_same_to_both(fields: dict[str, object], spaced: bool) -> None:
    agree(
        json.dumps(fields, ensure_ascii=spaced, separators=(", ", ": ") if spaced else (",", ":")).encode(
            errors="replace"
        )
    )


pieces = st.sampled_from(
    [
        b'{"type":"message",',
        b'"text":"',
        b'"id":"',
        b'"',
        b",",
        b"}",
        b"hello",
        b"\\",
        b"\\n",
        b"\\u00e9",
        b"\\ud800",
        b"\\u0000",
        b"\xc3\xa9",
        b"\xc2\x80",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
        b"\x00",
        b"\n",
        b"\x7f",
        b" ",
        b'"text":"a"',
        b'"\\u0074ext":"a"',
        b'{"type":"typing","typing":true}',
        b"1e999",
        b"[" * 50,
        b'{"type":"ping"}',
    ]
)


@settings(max_examples=examples(800))
@given(st.lists(pieces, max_size=8).map(b"".join))
def test_any_bytes_mean_the_same_to_both(data: bytes) -> None:
    agree(data)


@settings(max_examples=examples(400))
@given(texts, st.integers(0, 500), st.binary(max_size=4))
def test_a_canonical_line_that_was_damaged_means_the_same_to_both(text: str, at: int, junk: bytes) -> None:
    data = orjson.dumps({"type": "message", "text": text})
    at %= len(data)
    agree(data[:at] + junk + data[at:])
    agree(data[:at] + junk + data[at + len(junk) :])
    agree(data[:at])


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("a duplicate key", b'{"type":"message","text":"a","text":"b"}'),
        ("an escaped key", b'{"type":"message","te\\u0078t":"a"}'),
        ("another order of keys", b'{"text":"a","type":"message"}'),
        ("a space", b'{"type": "message","text":"a"}'),
        ("a lone surrogate", b'{"type":"message","text":"\\ud800"}'),
        ("a C0 control", b'{"type":"message","text":"a\x01"}'),
        ("a C1 control", b'{"type":"message","text":"a\xc2\x85"}'),
        ("an escaped control", b'{"type":"message","text":"a\\u0001"}'),
        ("a carriage return", b'{"type":"message","text":"a\\r"}'),
        ("nothing said", b'{"type":"message","text":""}'),
        ("2,001 code points", b'{"type":"message","text":"' + b"x" * 2001 + b'"}'),
        ("2,001 astral code points", b'{"type":"message","text":"' + "😀".encode() * 2001 + b'"}'),
        ("trailing bytes", b'{"type":"message","text":"a"}x'),
        ("an id of 65 bytes", b'{"type":"message","text":"a","id":"' + b"i" * 65 + b'"}'),
        ("an empty id", b'{"type":"message","text":"a","id":""}'),
        ("deep nesting", b'{"type":"message","text":' + b"[" * 2000 + b"]" * 2000 + b"}"),
        ("a huge number", b'{"type":"message","text":' + b"9" * 500 + b"}"),
        ("half a line", b'{"type":"message","text":"a'),
    ],
)
def test_every_other_spelling_is_left_to_the_general_parser(why: str, data: bytes) -> None:
    assert classify(data)[0] == "other", why


def test_2000_code_points_of_any_width_are_taken() -> None:
    for character in ("x", "é", "…", "😀"):
        assert classify(orjson.dumps({"type": "message", "text": character * 2000}))[0] == "message"
