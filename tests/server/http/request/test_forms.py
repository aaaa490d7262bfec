"""Forms as real clients send them: the query and the body, the first of a name, bounded."""

from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from server.http.request.forms import FIELDS_MAX, BadForm, Form, form, read, take
from tests.server.http.request.fuzz_forms import Request


def test_the_first_of_a_name_counts_and_all_can_be_had() -> None:
    asked = Form(read("id=a&candidate=1&id=b&candidate=2"))
    assert asked.get("id") == "a"
    assert asked.all("candidate") == ["1", "2"]
    assert asked.get("none", "usual") == "usual"
    assert "id" in asked
    assert "none" not in asked


@pytest.mark.parametrize(("text", "on"), [("webrtc=1", True), ("webrtc=true", True), ("webrtc=yes", True)])
@pytest.mark.parametrize("other", ["", "webrtc=", "webrtc=0", "webrtc=False"])
def test_a_switch_is_on_unless_it_says_no(text: str, on: bool, other: str) -> None:
    assert Form(read(text)).flag("webrtc") is on
    assert Form(read(other)).flag("webrtc") is False


def test_bytes_that_are_no_text_become_a_mark_and_blanks_stay() -> None:
    assert read("msg=%ff&empty=") == [("msg", "\ufffd"), ("empty", "")]


@given(
    st.lists(
        st.sampled_from(
            ["a", "=", "&", "+", "%", "%41", "%4", "%c3", "%A9", "%e2%82", "%ff", "é", "\u20ac", ";", "\n", "%00"]
        )
    ).map("".join)
)
def test_escapes_and_blanks_are_read_as_everybody_reads_them(text: str) -> None:
    assert read(text) == parse_qsl(text, keep_blank_values=True, errors="replace")


def test_more_fields_than_anybody_sends_are_refused() -> None:
    assert len(read("&".join(["a=1"] * FIELDS_MAX))) == FIELDS_MAX
    with pytest.raises(BadForm) as refused:
        read("&".join(["a=1"] * (FIELDS_MAX + 1)))
    assert refused.value.status == 413


async def test_the_query_stands_before_the_body() -> None:
    asked = await form(make_mocked_request("POST", "/start?lang=en&topics=%5B%22tea%22%5D"))
    assert (asked.get("lang"), asked.get("topics")) == ("en", '["tea"]')


async def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    request = make_mocked_request(
        "POST", "/send", headers={"Content-Length": "999999"}, payload=mock.Mock(at_eof=lambda: False, spec=["at_eof"])
    )
    with pytest.raises(BadForm) as refused:
        await form(request)
    assert refused.value.status == 413


async def test_a_body_is_taken_piece_by_piece_as_far_as_its_bound() -> None:
    def request(size: int) -> Any:
        return Request("", [b"x" * 10] * size)

    sizes: list[int] = []
    await take(request(5), 50, lambda part: sizes.append(len(part)))
    assert sizes == [10] * 5
    with pytest.raises(BadForm) as refused:
        await take(request(6), 50, sizes.append)
    assert refused.value.status == 413
