"""Fuzz the scanner of chat lines and the UTF-8 check against the general parser and Python's codec. Also a target of `make fuzz`."""

import orjson

from engine.wire.client_requests import Message, Ping, Typing, parse
from engine.wire.engine_errors import Refusal
from ext.reactor.debug_hooks import classify, is_valid

WORDS = (
    b'{"type":"message","text":"', b'{"type":"message","id":"', b'","id":"', b'","text":"', b'"}', b'{"type":"typing","typing":true}',
    b'{"type":"typing","typing":false}', b'{"type":"ping"}', b'"', b"\\", b"\\n", b"\\t", b"\\r", b"\\u0041", b"\\ud800", b"\\ud83d\\ude00",
    b"\xc2\x80", b"\xc2\xa0", b"\xc3\xa9", b"\xe2\x80\xa6", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xff",
    b"\0", b"\x1f", b"\x7f", b"\n", b"a" * 8, b"x" * 64, b"x" * 500, b"1e999", b"[[[[", b",", b" ", b'"\\u0074ext":"a"',
)  # fmt: skip


def by_the_rules(data: bytes) -> object:
    """Return the general parser's result: a request, or the code of the refusal."""
    try:
        return parse(data)
    except Refusal as refusal:
        return refusal.code


def agree(data: bytes) -> str:
    """Check that the scanner returns OTHER, or exactly the general parser's result; return its kind."""
    kind, text, id = classify(data)
    if kind == "other":
        return kind
    request = by_the_rules(data)
    if kind == "message":
        assert isinstance(request, Message)
        assert orjson.loads(b'"' + text + b'"') == request.text
        assert (id.decode() or None) == request.id
    elif kind == "ping":
        assert isinstance(request, Ping)
    else:
        assert isinstance(request, Typing)
        assert request.typing is (kind == "typing on")
    return kind


def is_text(data: bytes) -> bool:
    """Whether Python decodes the data as UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def fuzz(data: bytes) -> tuple[str, object]:
    """Run both scanners on `data`; return their results and the general parser's."""
    assert is_valid(data) == is_text(data)
    request = by_the_rules(data)
    return agree(data), request if isinstance(request, str) else type(request)
