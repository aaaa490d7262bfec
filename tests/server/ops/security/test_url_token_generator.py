"""Secrets in addresses, as text and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.ops.security.url_token_generator import decode, draw, encode


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_an_address_is_22_characters_and_comes_back(secret: bytes) -> None:
    assert len(encode(secret)) == 22
    assert decode(encode(secret)) == secret


@settings(deadline=None)
@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = decode(text)
    assert found is None or encode(found) == text


def test_no_address_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([decode("-vi4ZC92cZYUV6XSSJOlvQ"), decode("xvi4ZC92cZYUV6XSSJOlvQ")])
    monkeypatch.setattr("server.ops.security.url_token_generator.secrets.token_bytes", lambda size: next(drawn))
    assert encode(draw()) == "xvi4ZC92cZYUV6XSSJOlvQ"
