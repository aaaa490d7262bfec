"""Test the parser of mails about data: what people's programs write, what other programs write, and what is made to be costly."""

from __future__ import annotations

import contextlib
import io
import time
from email.message import EmailMessage

import pytest

from server.trust.data_requests import incoming_mail
from server.trust.data_requests.incoming_mail import BYTES_MAX, CPU_S, TEXT_MAX, IncomingMail, Unreadable, parse, read

HEAD = "Return-Path: <ann@example.org>\nFrom: Ann <ann@example.org>\nMessage-ID: <1@example.org>\n"


def mail(subject: str = "Serendip-Privacy know", body: str = "hello", head: str = "") -> IncomingMail:
    """Parse a mail of Ann's."""
    return parse(f"{HEAD}{head}Subject: {subject}\n\n{body}\n".encode())


def written(text: str, html: str = "", attached: bytes = b"") -> IncomingMail:
    """Parse a mail as a program with all its parts writes it."""
    made = EmailMessage()
    made["From"], made["Subject"] = "Ann <ann@example.org>", "Serendip-Privacy delete"
    if text:
        made.set_content(text)
    if html:
        (made.add_alternative if text else made.set_content)(html, subtype="html")
    if attached:
        made.add_attachment(attached, maintype="text", subtype="plain", filename="passport.txt")
    return parse(made.as_bytes())


@pytest.mark.parametrize(
    ("subject", "kind", "language"),
    [
        ("Serendip-Privacy delete (de)", "delete", "de"),
        ("Re: [list] SERENDIP PRIVACY: Erase my data", "delete", ""),
        ("Omegle-Privacy request: access", "know", ""),
        ("Omegle Privacy - Shine the Light", "shine", ""),
        ("Serendip-Privacy", "other", ""),
        ("Serendip-Privacy (fr)", "other", "fr"),
        ("please delete everything", "other", ""),
        ("=?utf-8?b?U2VyZW5kaXAtUHJpdmFjeSBkZWxldGUgKGRlKQ==?=", "delete", "de"),
        ("=?x-unknown?q?Serendip-Privacy?=", "other", ""),
        ("", "other", ""),
    ],
)
def test_the_subject_names_the_kind_and_the_language(subject: str, kind: str, language: str) -> None:
    found = mail(subject)
    assert (found.kind, found.language) == (kind, language)


def test_a_program_that_names_its_language_is_believed_after_the_subject() -> None:
    assert mail(head="Content-Language: de-DE\n").language == "de"
    assert mail(head="Accept-Language: ja-JP, en\n").language == "ja"
    assert mail("Serendip-Privacy know (fr)", head="Content-Language: de-DE\n").language == "fr"


@pytest.mark.parametrize("text", ["Bitte löscht alles.", "すべて消してください。", "احذفوا كل شيء", "удалите всё"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-7"])
def test_a_text_in_any_language_and_encoding_is_read(text: str, charset: str) -> None:
    head = f"MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\nSubject: x\n\n"
    assert parse(HEAD.encode() + head.encode() + text.encode(charset)).text == f"x\n\n{text}"


def test_plain_text_goes_before_html_and_attachments_are_dropped() -> None:
    found = written("plain words", "<p>html words</p>", b"secret number")
    assert found.text == "Serendip-Privacy delete\n\nplain words"


def test_html_alone_becomes_text_without_what_no_reader_sees() -> None:
    found = written(
        "",
        "<html><head><title>t</title><style>p{}</style></head><body><p>first</p><script>x()</script><p>a &lt; b</body>",
    )
    assert found.text == "Serendip-Privacy delete\n\nfirst\na < b"


def test_a_text_is_bounded_and_has_no_control_characters() -> None:
    found = mail("x", "a\x00\x1b[31mb\n\n\n\n\nc" + "d" * 5_000)
    assert found.text.startswith("x\n\na[31mb\n\ncddd")
    assert len(found.text) == TEXT_MAX


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied; owner=x\n", "Auto-Submitted: auto-generated\n", "Precedence: Bulk\n", "List-Id: <l.example.org>\n",
        "X-Auto-Response-Suppress: All\n", "X-Loop: x\n", "Content-Type: multipart/report; boundary=x\n",
    ],
)  # fmt: skip
def test_what_a_program_or_a_list_wrote_is_known(head: str) -> None:
    assert mail(head=head).automatic
    assert not mail(head="Auto-Submitted: no\n").automatic


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@example.org", "no-reply@example.org"])
def test_a_bounce_is_known_by_its_return_path_or_its_sender(sender: str) -> None:
    for path in ("<>", "", "<MAILER-DAEMON>", "<MAILER-DAEMON@chat.example>"):
        assert parse(f"Return-Path: {path}\nFrom: Ann <ann@example.org>\nSubject: x\n\nx".encode()).automatic
    assert parse(f"From: {sender}\nSubject: x\n\nx".encode()).automatic
    assert not parse(b"From: Ann <ann@example.org>\nSubject: x\n\nx").automatic


@pytest.mark.parametrize(
    "sender",
    [
        "a@example.org, b@example.org", "Ann", "", "ann@example.org\r\n\tBcc: all@example.org", '"a b"@example.org', "änn@example.org",
        "a@" + "x" * 300 + ".org", "<ann@example.org>\x00", "ann@[127.0.0.1]", "=?utf-8?q?ann=40example=2Eorg=0ABcc=3A?=",
    ],
)  # fmt: skip
def test_a_sender_that_is_not_one_plain_address_is_none(sender: str) -> None:
    assert parse(f"From: {sender}\nSubject: x\n\nx".encode()).sender == ""


@pytest.mark.parametrize(
    "name",
    ["=?utf-8?q?M=C3=BCller=2C_Ann?=", '"Miller, Ann"', "=?utf-8?q?boss=40victim=2Eexample=2C?=", "=?utf-8?q?a=22b=3C?=", "Änn"],
)  # fmt: skip
def test_a_name_beside_an_address_changes_nothing_however_it_is_encoded(name: str) -> None:
    assert parse(f"From: {name} <ann@example.org>\nSubject: x\n\nx".encode()).sender == "ann@example.org"


def test_an_encoded_address_is_none() -> None:
    assert parse(b"From: =?utf-8?q?victim=40example=2Eorg?=\nSubject: x\n\nx").sender == ""


def test_a_mail_is_the_same_whatever_its_way_adds() -> None:
    again = mail(head="Received: by localhost with POP3; Mon, 30 Nov 2026 23:00:00 +0000\n")
    assert again.digest == mail().digest
    assert mail(body="hello again").digest != mail().digest
    assert mail(head="Date: Mon, 30 Nov 2026 23:00:00 +0000\n").digest != mail().digest


def test_a_message_id_with_anything_but_an_id_does_not_reach_an_answer() -> None:
    assert mail().ident == "<1@example.org>"
    assert parse(b"From: a@example.org\nMessage-ID: <a b>\n\tX: y\n\nx").ident == ""


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"no header at all", b"\xff\xfe" * 50])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(raw)


def nested(depth: int) -> bytes:
    """A mail of multipart parts within one another, each of which checks each line for its boundary."""
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return b"From: a@example.org\n" + head


COSTLY = {
    "parts": nested(300) + b"\n" * 700_000,
    "mails": b"From: a@example.org\n" + b"Content-Type: message/rfc822\n\n" * 30_000,
    "words": b"From: a@example.org\nSubject: " + b"=?a?q?" * 170_000 + b"\n\n",
    "quotes": b'From: a@example.org\nContent-Type: text/plain; a="' + b';"' * 500_000 + b"\n\nx",
    "addresses": b"From: " + b"<(" * 500_000 + b"\n\nx",
    "tags": b"From: a@example.org\nContent-Type: text/html\n\n" + b"<!" * 500_000,
    "lines": b"From: a@example.org\n" + b"a:\n" * 340_000,
}


@pytest.mark.parametrize("raw", COSTLY.values(), ids=COSTLY)
def test_a_costly_mail_ends_within_its_bound(raw: bytes) -> None:
    assert len(raw) <= BYTES_MAX
    before = time.process_time()
    with contextlib.suppress(Unreadable):
        assert len(parse(raw).text) <= TEXT_MAX
    assert time.process_time() - before < 3 * CPU_S  # of the processor: what other processes do is not in it


def test_the_limit_strikes_again_where_a_library_caught_it() -> None:
    def stubborn() -> None:
        while True:
            try:
                while True:
                    pass
            except incoming_mail._TooCostly:
                if time.process_time() - before > 0.3:
                    raise

    before = time.process_time()
    with pytest.raises(incoming_mail._TooCostly), incoming_mail._cpu_limit(0.1):
        stubborn()


def test_one_mebibyte_is_kept_and_the_rest_is_read_to_its_end() -> None:
    stream = io.BytesIO(b"x" * (3 * BYTES_MAX))
    assert len(read(stream)) == BYTES_MAX
    assert stream.read() == b""
