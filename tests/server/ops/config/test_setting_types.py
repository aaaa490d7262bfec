"""A value that cannot be meant is told at the start, in words that say what is wanted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.ops.config.setting_types import bucket_url, http_url, own_origin


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", ""),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://localhost:5000/", "http://localhost:5000"),
        ("https://translate.example/lt/", "https://translate.example/lt"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_an_address_that_requests_go_to_is_taken_without_its_last_stroke(given: str, taken: str) -> None:
    assert http_url(given) == taken


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        (http_url, "localhost:5000", "http://"),
        (http_url, "ftp://localhost", "http://"),
        (http_url, "http://user:word@localhost", "without a user"),
        (http_url, "http://localhost/?key=1", "query"),
        (http_url, "http://", "a host"),
        (bucket_url, "https://bucket", "s3://bucket"),
        (own_origin, "https://192.0.2.1", "a name"),
        (own_origin, "http://console.example", "https://"),
    ],
)
def test_what_is_none_says_what_is_wanted(kind: Callable[[str], str], given: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        kind(given)
