"""Fuzz the parser of mails about data: it raises Unreadable alone, and what it returns keeps its bounds. Also a target of `make fuzz`."""

from __future__ import annotations

from collections.abc import Hashable

from server.trust.data_requests.incoming_mail import TEXT_MAX, Unreadable, parse
from server.trust.data_requests.request_states import KINDS

WORDS = (
    b"From: ", b"Subject: ", b"Return-Path: <>", b"Auto-Submitted: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"\n--b\n", b"\n--b--\n",
    b"text/html", b"text/plain; charset=", b"message/rfc822\n\n", b"Content-Transfer-Encoding: base64\n", b"quoted-printable", b"=?utf-8?b?", b"?=",
    b"Serendip-Privacy delete (de)", b"Omegle-Privacy", b"a@example.org", b"<", b">", b"(", b'"', b";", b"\r\n", b"\n\n", b"\t", b"\x00", b"\xff",
    b"<p>", b"<!--", b"&#0;", b"utf-7", b"idna", b"\xed\xa0\x80", b"*0*=",
)  # fmt: skip


def fuzz(data: bytes) -> Hashable:
    """Parse one mail."""
    try:
        found = parse(data)
    except Unreadable as error:
        return str(error)
    assert found.kind in KINDS
    assert len(found.text) <= TEXT_MAX
    found.text.encode()
    assert not set(found.sender + found.ident) & set("\r\n\0 ")
    assert "," not in found.sender
    assert found.sender.isascii()
    return found.kind, found.automatic, bool(found.sender), bool(found.language), bool(found.ident)
