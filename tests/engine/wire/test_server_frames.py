"""What the engine sends, as bytes."""

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wire import server_frames
from engine.wire.protocol import FAULTS, LEFT_BY


@pytest.mark.parametrize(
    "frame",
    [
        server_frames.PONG,
        server_frames.reported("", {}),
        server_frames.reported("/report/x", {"kept": 120, "help": [{"name": "Emergency", "call": "112"}]}),
        server_frames.banned(1, "R5", "No adverts.", True, "/appeal/x", "2026-11-26", "person"),
        server_frames.notice("n", "warning", "R5", "No adverts.", "2026-11-26", "person", "/appeal/x"),
        server_frames.blocked("t", None),
        server_frames.blocked("t", 1_800_000_000),
        server_frames.RESUMED_IDLE,
        server_frames.hello("s", "t", 3, 15),
        server_frames.hello("s", "t", 3, 15, {"version": "3.2", "from": 1_800_000_000}),
        server_frames.waiting("good", 2.96, True),
        server_frames.matched(server_frames.usual("c1", ["chess", 'a "b"'], "en", 0)),
        server_frames.resumed(server_frames.usual("c1", [], "en", 1), 4, 2, [1], 0),
        server_frames.partner("away", 3.04, 1),
        server_frames.left("lost", 0),
        server_frames.signal({"candidate": None}),
        server_frames.saved("/log/1", "/log/delete/1"),
        server_frames.error("too_fast", "find", None, 0.12345),
    ],
)
def test_every_frame_is_compact_json_with_its_type_first(frame: bytes) -> None:
    body = orjson.loads(frame)
    assert next(iter(body)) == "type"
    assert frame == orjson.dumps(body)


def test_the_usual_chat_is_written_as_the_general_builder_would() -> None:
    for common in ([], ["chess", '\u00fc "quoted"']):
        for side in (0, 1):
            general = server_frames.encode(server_frames.facts("c1", "stranger", common, "de", None, None, side))
            assert server_frames.usual("c1", common, "de", side) == general


def test_resumed_has_refused_only_where_something_was() -> None:
    inside = server_frames.usual("c1", [], "en", 0)
    assert "refused" not in orjson.loads(server_frames.resumed(inside, 1, 1, [], 0))
    assert orjson.loads(server_frames.resumed(inside, 1, 1, [1], 0))["refused"] == [1]


@pytest.mark.parametrize("code", FAULTS)
def test_an_error_says_the_sentence_of_its_code_however_it_is_built(code: str) -> None:
    assert orjson.loads(server_frames.error(code)) == {"type": "error", "code": code, "message": FAULTS[code].message}
    assert server_frames.error(code) == server_frames.error(code)
    assert orjson.loads(server_frames.error(code, "message", "7", 1.0))["message"] == FAULTS[code].message


def halves() -> st.SearchStrategy[float]:
    """Seconds that are half a tenth beyond one, and their neighbours."""
    return st.builds(
        lambda half, to: math.nextafter((2 * half + 1) / 20, to) if to else (2 * half + 1) / 20,
        st.integers(0, 5_000),
        st.sampled_from((None, 0.0, 1e9)),
    )


@given(st.one_of(st.floats(0.0, 1e6), halves()))
def test_waiting_says_the_tenths_of_a_second_that_round_goes_to(seconds: float) -> None:
    for _ in range(2):  # made, and remembered
        assert orjson.loads(server_frames.waiting("good", seconds, False))["widens"] == round(seconds, 1)


def test_what_is_remembered_of_waiting_is_bounded() -> None:
    for tenth in range(3 * server_frames._MEMORY):
        server_frames.waiting("good", tenth / 10, False)
        assert len(server_frames._waiting) <= server_frames._MEMORY


@pytest.mark.parametrize("by", LEFT_BY)
def test_left_tells_a_watcher_alone_who_left(by: str) -> None:
    assert orjson.loads(server_frames.left(by, None)) == {"type": "left", "by": by}
    assert orjson.loads(server_frames.left(by, 1)) == {"type": "left", "by": by, "from": 2}


def test_hello_says_the_grace_and_the_statement_that_it_is_given_whatever_it_said_before() -> None:
    one, two = ({"version": name, "from": at} for name, at in (("3.1", 1), ("3.2", 2)))
    for grace, statement in (
        (15, one),
        (15, one),
        (15, two),
        (15, None),
        (0.5, None),
        (0.5, one),
        (15, one),
        (15, two),
    ):
        said = orjson.loads(server_frames.hello("00ff", "A-_9", 12, grace, statement))
        assert said == {
            "type": "hello", "session": "00ff", "token": "A-_9", "online": 12, "grace": grace,
            **({} if statement is None else {"statement": statement}),
        }  # fmt: skip
