"""A transcript is the same after it was packed, and bytes that are none are refused without being unpacked for ever."""

import zlib

import orjson
import pytest

from server.data.records.transcript import LONGEST, Line, Transcript, Unreadable, of_ring, pack, unpack


def test_what_is_packed_comes_back_the_same() -> None:
    said = Transcript(
        "spy",
        1_795_536_300,
        (Line(0, 1, "hei \U0001f642", ((0, "heart"), (1, "sad"))), Line(1, 2, "")),
        True,
        ("te",),
        ("", "uio.no"),
        "Why?",
        True,
    )
    assert unpack(pack(said)) == said


def test_the_language_of_an_old_object_is_dropped_at_reading() -> None:
    said = Transcript("text", 5, (Line(0, 6, "hei"),))
    body = orjson.loads(zlib.decompress(pack(said)))
    assert "language" not in body
    old = unpack(zlib.compress(orjson.dumps(body | {"v": 1, "language": "nb"})))
    assert old == said
    assert not hasattr(old, "language")


def test_lines_of_a_ring_are_read_as_json_texts_and_a_first_number_above_one_is_a_cut() -> None:
    lines, cut = of_ring([(1, 0, 5, b"a\\n"), (2, 1, 6, b"b")])
    assert ([line.text for line in lines], cut) == (["a\n", "b"], False)
    assert of_ring([(7, 0, 5, b"a")])[1] is True
    assert of_ring([]) == ((), False)


def test_reactions_come_to_their_lines_and_one_to_a_line_that_is_gone_is_dropped() -> None:
    lines, _ = of_ring([(7, 0, 5, b"a"), (8, 1, 6, b"b")], {(8, 1): "sad", (8, 0): "wow", (3, 1): "heart"})
    assert [line.faces for line in lines] == [(), ((0, "wow"), (1, "sad"))]


@pytest.mark.parametrize(
    "body", [b"", b"x", zlib.compress(b"[]"), zlib.compress(orjson.dumps({"v": 1})), zlib.compress(b"\xff")]
)
def test_other_bytes_are_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(body)


def test_a_body_that_unpacks_without_end_is_given_up() -> None:
    packed = pack(Transcript("text", 0, ()))
    padded = zlib.decompress(packed) + b" " * LONGEST  # which JSON allows
    with pytest.raises(Unreadable):
        unpack(zlib.compress(padded))
