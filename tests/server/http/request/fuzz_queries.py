"""Fuzz the parser of form-encoded pairs against urllib's. Also a target of `make fuzz`."""

from collections.abc import Hashable
from urllib.parse import parse_qsl

from server.http.request.forms import FIELDS_MAX, BadForm, read, unquoted

WORDS = (
    b"&", b"=", b"%", b"+", b";", b"%00", b"%ff", b"%C3%A9", b"%u0041", b"%%41", b"%4", b"%25%34%31", b"\xc3\xa9", b"\xff", b"a=1&" * 8, b"&&", b"==",
    b"topics=%5B%22tea%22%5D", b"lang=en", b"%F0%9F%98%80", b"%ED%A0%80",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Return queries as clients write them, and the most pairs."""
    return [
        b"rcs=1&firstevents=1&spid=&randid=ABCDEFGH&topics=%5B%22tea%22%2C%22sailing%22%5D&lang=en",
        b"id=central1%3Aabc&msg=hello+there%21",
        b"a=1&" * (FIELDS_MAX - 1) + b"b",
        b"a=1&" * FIELDS_MAX + b"b",
        b"%" * 200,
    ]


def enter(data: bytes) -> Hashable:
    """Parse the input as a body."""
    try:
        pairs = read(data.decode("utf-8", "replace"))
    except BadForm as bad:
        return bad.status
    assert len(pairs) <= FIELDS_MAX
    return len(pairs)


def fuzz(data: bytes) -> Hashable:
    """Compare all pairs with urllib's; one without `=` counts as empty in both."""
    text = data.decode("utf-8", "replace")
    said = enter(data)
    if not isinstance(said, int) or said == 413:
        return said
    assert read(text) == parse_qsl(text, keep_blank_values=True, errors="replace")
    assert unquoted(text.replace("%", "")) == text.replace("%", "")
    return said
