"""Parameters of a request, and what the Omegle face makes of them: a `find`, a saved account. Also a target of `make fuzz`."""

import asyncio
import atexit
import json
from collections.abc import Hashable
from types import SimpleNamespace

import orjson

from engine.matching.interest_normalisation import BadInterest, normal
from engine.wire.client_requests import Find, parse
from engine.wire.engine_errors import Refusal
from server.data.chat_logs.chat_log_rendering import as_text, context
from server.data.records.transcript import pack, unpack
from server.http.request.forms import FIELDS_MAX, BadForm, Form, form
from server.http.words.sentence_formatter import said as spoken
from server.site.omegle.log_generation import LINES_MAX, TEXT_MAX, account
from server.site.omegle.start_parameters import BadStart, parse_find

ENGLISH = spoken()["en"]
NOW = 1_800_000_000.0
WORDS = (
    b"&", b"=", b";", b"%", b"%00", b"%ff", b"%u0041", b"+", b"\n", b"\r\n", b"\0", b"\xff", b"\xc3\xa9", b"[", b"]", b'"', b",", b"null", b"1e999",
    b"\\ud800", b"\\u0000", b"topics=", b'topics=["tea","sailing"]', b"lang=en", b"lang=*", b"ask=Is+a+hot+dog+a+sandwich", b"wantsspy=1",
    b"cansavequestion=1", b"webrtc=1", b"college=uio.no", b"any_college=1", b"college_auth=", b"adult=true", b"randid=ABCDEFGH", b"id=central1:abc",
    b"msg=hello", b'log=[["You:","hi"],["Stranger:","ho"]]', b'["Question to discuss:","Why?"]', b'["Stranger 2:","x"]', b"%5B%22", b"%22%5D",
    b"%EF%B7%BA", b"%E2%80%8B", b"\xe2\x80\xa8", b"a=1&" * 40, b"[" * 60,
)  # fmt: skip


class Request:
    """What `form` asks of a request: the query as the door leaves it, and a body that comes in pieces."""

    def __init__(self, query: str, parts: list[bytes]) -> None:
        self.rel_url = SimpleNamespace(raw_query_string=query)
        self.can_read_body = bool(parts)
        self.content_length = None
        self.content = self
        self._parts = [part for part in parts if part]

    def is_eof(self) -> bool:
        """Whether all came."""
        return not self._parts

    async def readany(self) -> bytes:
        """The next piece; none is the end."""
        return self._parts.pop(0) if self._parts else b""


def asked(query: str, body: bytes, step: int) -> Form:
    """The form of a request. Raises BadForm."""
    parts = [body[at : at + step] for at in range(0, len(body), step)]
    return _loop.run_until_complete(form(Request(query, parts)))  # type: ignore[arg-type]


_loop = asyncio.new_event_loop()  # one for all inputs: a loop costs more than a form
atexit.register(_loop.close)


def looked_for(fields: Form) -> Hashable:
    """The `find` of a form, as the engine reads it."""
    try:
        find = parse_find(fields)
    except BadStart as bad:
        return str(bad)
    try:
        request = parse(orjson.dumps(find))
    except Refusal as refusal:
        return refusal.code
    assert isinstance(request, Find)
    words = 0
    for word in request.interests:
        try:
            words += bool(normal(word))
        except BadInterest:
            continue
    return request.role, request.video, request.strict, words > 0


def said(fields: Form) -> Hashable:
    """The account of a form, kept and shown."""
    found = account(fields, NOW)
    if found is None:
        return None
    assert len(found.lines) <= LINES_MAX
    assert all(len(line.text) <= TEXT_MAX for line in found.lines)
    assert unpack(pack(found)) == found
    assert json.dumps(context(found, ENGLISH))
    text = as_text(found, ENGLISH)
    assert text.encode()
    return found.mode, len(found.lines) > 1, len(found.common)


def fuzz(data: bytes) -> Hashable:
    """The first byte says in how large pieces a body comes; a line break parts the query and the body. aiohttp refuses a query that
    is not ASCII, so there is none here.
    """
    step, data = (data[0] or 1) if data else 1, data[1:]
    query, _, body = data.partition(b"\n")
    try:
        fields = asked(query.decode("ascii", "replace"), body, step)
    except BadForm as bad:
        return bad.status
    assert len(fields.all("a")) <= 2 * FIELDS_MAX
    return looked_for(fields), said(fields), fields.flag("webrtc")
