"""Parse a mail that asks something about one's data: its sender, the kind of request, its text, and whether a program wrote it.

**Invariant:** the work is bounded whatever a stranger sends: BYTES_MAX are parsed, for CPU_S seconds of processor time. Attachments are dropped. The
sender's address proves nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from html.parser import HTMLParser
from types import FrameType
from typing import BinaryIO, Final

from server.trust.data_requests.request_states import KINDS

BYTES_MAX: Final = 1024 * 1024
CPU_S: Final = 2.0
AGAIN_S: Final = 0.1  # until the limit strikes again, if a library caught it
HEADER_MAX: Final = 1_000  # characters of a header that are decoded
BODY_MAX: Final = 64 * 1024  # bytes of a text part that are decoded
TEXT_MAX: Final = 2_000  # characters kept of subject and text
DRAIN: Final = 64 * 1024  # bytes read at once, to be dropped
OTHER: Final = "other"
_ASKED = re.compile(r"\b(?:serendip|omegle)[-\s]{0,2}privacy\b(.*)", re.IGNORECASE | re.DOTALL)
_LANGUAGE = re.compile(r"\(([a-z]{2})\)\s*$")  # as the links of our own page write it
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){0,12}")
_ADDRESS_MAX = 254
_ID = re.compile(r"<[!-;=?-~]{1,200}>")
_PROGRAMS = frozenset({"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply"})
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_MARKS = ("List-Id", "List-Unsubscribe", "X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "X-Loop")
_WORDS: Final = {
    "access": "know", "see": "know", "copy": "export", "download": "export", "erase": "delete", "deletion": "delete",
    "objection": "object", "correction": "correct", "appeal": "correct", "minor": "child", "parent": "child",
} | {kind: kind for kind in KINDS}  # fmt: skip
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


class Unreadable(ValueError):
    """No mail, or one made to be costly."""


class _TooCostly(Exception):
    """The processor time is used up."""


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """A parsed mail. `sender`: an ASCII address, or empty; `automatic`: written by a program, so it is not answered.

    `kind`: one of `request_states.KINDS`, OTHER without one of our subject words; `language`: two letters, or empty; `digest`: of the parts
    that stay the same if the mail is delivered again; `ident`: its Message-ID, or empty.
    """

    sender: str
    kind: str
    text: str
    automatic: bool
    language: str
    digest: bytes
    ident: str


def read(stream: BinaryIO) -> bytes:
    """Return the first BYTES_MAX of a mail. The rest, in practice attachments, is read and dropped, so that the mail server sees no broken pipe."""
    raw = stream.read(BYTES_MAX)
    while stream.read(DRAIN):
        pass
    return raw


def parse(raw: bytes) -> IncomingMail:
    """Parse a mail, in the main thread. Raises Unreadable."""
    try:
        with _cpu_limit(CPU_S):
            return _parsed(raw)
    except _TooCostly:
        raise Unreadable("reading this mail costs too much") from None
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise Unreadable(f"not a mail that can be read ({type(error).__name__})") from None


@contextlib.contextmanager
def _cpu_limit(seconds: float) -> Iterator[None]:
    """Raise _TooCostly in the block once it used so much processor time: nested parts and odd headers cost the standard parser quadratic time."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise _TooCostly

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _parsed(raw: bytes) -> IncomingMail:
    message = BytesParser().parsebytes(raw)
    if not message.keys():
        raise Unreadable
    # Not decoded: an address is never encoded, and the name beside it may decode to commas and other addresses.
    author = _raw_header(message, "From")
    addresses = getaddresses([author])
    sender = addresses[0][1] if len(addresses) == 1 else ""
    if not _ADDRESS.fullmatch(sender) or len(sender) > _ADDRESS_MAX:
        sender = ""
    subject = " ".join(_header(message, "Subject").split())
    kind, language = _request(subject)
    for name in ("Content-Language", "Accept-Language"):
        language = language or _header(message, name).strip()[:2].lower()
    text = _clean(f"{subject}\n\n{_text(message)}")[:TEXT_MAX]
    ident = _ID.search(_header(message, "Message-ID"))
    same = (author, _raw_header(message, "Date"), _raw_header(message, "Message-ID"), text)
    digest = hashlib.sha256("\n".join(same).encode("utf-8", "replace")).digest()
    return IncomingMail(sender, kind, text, _automatic(message, sender), language, digest, ident[0] if ident else "")


def _header(message: Message, name: str) -> str:
    """Return a header in one line, decoded; as it is, if its encoding is broken."""
    plain = _raw_header(message, name)
    with contextlib.suppress(MessageError, ValueError, LookupError):
        plain = str(make_header(decode_header(plain)))
    return _one_line(plain)


def _raw_header(message: Message, name: str) -> str:
    """Return a header in one line, as it was sent."""
    return _one_line(str(message.get(name, ""))[:HEADER_MAX])


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def _request(subject: str) -> tuple[str, str]:
    """Return kind and language that a subject names, as `Serendip-Privacy delete (de)`."""
    asked = _ASKED.search(subject)
    if asked is None:
        return OTHER, ""
    words = re.findall(r"[a-z]+", asked[1].lower())
    language = _LANGUAGE.search(subject)
    return next((_WORDS[word] for word in words if word in _WORDS), OTHER), language[1] if language else ""


def language_of(text: str) -> str:
    """Return the language that the subject of a stored mail names, two letters, or empty. `text`: as `IncomingMail.text`, which begins with it."""
    return _request(text.partition("\n")[0])[1]


def _automatic(message: Message, sender: str) -> bool:
    """Whether a program wrote this mail (RFC 3834, 2), or a list sent it."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    returned = message.get("Return-Path")  # empty for bounces; Postfix writes <MAILER-DAEMON>, unless told otherwise
    path = None if returned is None else str(returned).strip().strip("<>").partition("@")[0].lower()
    return (
        submitted not in ("", "no")
        or path == ""
        or _header(message, "Precedence").strip().lower() in _BULK
        or any(message.get(name) is not None for name in _MARKS)
        or message.get_content_type() == "multipart/report"
        or not _PROGRAMS.isdisjoint((path, sender.partition("@")[0].lower()))
    )


def _text(message: Message) -> str:
    """Return the plain text of a mail, else that of its HTML."""
    found: dict[str, str] = {}
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or kind in found or part.get_filename():
            continue
        if part.get_content_disposition() == "attachment":
            continue
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            found[kind] = _decoded(body[:BODY_MAX], part.get_content_charset("utf-8"))
    return found.get("text/plain", "").strip() or _of_html(found.get("text/html", ""))


def _leaves(message: Message) -> Iterator[Message]:
    """Yield the parts that are not multipart. A mail within a mail, as a bounce has it, is not opened."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting.extend(reversed(part.get_payload()))  # type: ignore[arg-type]
        else:
            yield part


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


class _Words(HTMLParser):
    """Collects the words of an HTML document."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line at a block; skip what no reader sees."""
        self._hidden += tag in ("script", "style", "head", "template")
        if tag in ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "blockquote"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End what no reader sees."""
        self._hidden -= tag in ("script", "style", "head", "template") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if not self._hidden:
            self.words.append(re.sub(r"\s+", " ", data))


def _of_html(html: str) -> str:
    reader = _Words()
    reader.feed(html)
    reader.close()
    return "".join(reader.words).strip()


def _clean(text: str) -> str:
    """Return text without control characters and lone surrogates, with single empty lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL).encode("utf-8", "replace").decode()
    return re.sub(r"\n\s*\n\s*", "\n\n", text).strip()
