"""Write the mails that answer mails about data: a receipt with number, dates and link, the answer to "Shine the Light", an operator's answer.

**Invariant:** plain text, without anything of the mail that it answers but its Message-ID. What a program wrote is marked so (RFC 3834).
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid

from server.data.privacy.registry import REGISTRY
from server.data.statement.statement_document import said as statement
from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import Said
from server.http.words.sentence_formatter import said as spoken
from server.ops.config.settings import Settings
from server.ops.security import reference_numbers
from server.trust.data_requests.incoming_mail import IncomingMail
from server.trust.data_requests.request_states import OUTER, UNPROVED_KINDS, due_in

PLACE = "/privacy/request"
LOCAL = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class RequestLetters:
    """Letters of one service. `site`: its origin, `https://chat.example`; empty if it is not known (`expired` has no link then)."""

    settings: Settings
    site: str

    def receipt(self, came: IncomingMail, kind: str, number: str, secret: str, received: int) -> EmailMessage:
        """Return the receipt of a request. `kind`: of the request; `secret`: opens its page, and proves chats in the browser that had them.

        `received`: Unix time from which its dates count.
        """
        t = _language(came)
        shown = reference_numbers.shown(number)
        link = f"{self.site}{PLACE}/{number}/{secret}?lang={t.language}"
        reads = "mail.request.read" if kind in UNPROVED_KINDS else "mail.request.prove"
        parts = (
            t.text(
                "mail.request.here", number=shown, due=t.day(received + due_in(kind)), outer=t.day(received + OUTER)
            ),
            f"{t.text(reads)}\n{link}",
            t.text("mail.request.more"),
            t.text("mail.request.other"),
        )
        return self._letter(came, t, t.text("mail.request.subject", number=shown), parts)

    def expired(self, to: str, number: str, received: int, language: str) -> EmailMessage:
        """Return the notice that a request ended without a proof. `language`: two letters, or empty."""
        t, shown = _said(language), reference_numbers.shown(number)
        parts = [t.text("mail.request.expired", number=shown, day=t.day(received))]
        if self.site:
            parts.append(t.text("mail.request.anew", page=f"{self.site}{PLACE}?lang={t.language}"))
        letter = _written(self.settings, to, t.text("mail.request.subject", number=shown), "\n\n".join(parts) + "\n")
        letter["Auto-Submitted"] = "auto-generated"
        letter["Content-Language"] = t.language
        return letter

    def shine(self, came: IncomingMail) -> EmailMessage:
        """Return the answer to a question about direct marketing (California Civil Code 1798.83): the same for everyone."""
        t = _language(came)
        told = statement(REGISTRY.text("marketing"), self.settings, t.language)
        more = t.text("mail.request.page", page=f"{self.site}{PLACE}?lang={t.language}")
        return self._letter(came, t, told["title"], (told["body"], more, t.text("mail.request.other")))

    def _letter(self, came: IncomingMail, t: Said, subject: str, parts: tuple[str, ...]) -> EmailMessage:
        letter = _written(self.settings, came.sender, subject, "\n\n".join(parts) + "\n")
        letter["Auto-Submitted"] = "auto-replied"
        letter["Content-Language"] = t.language
        if came.ident:
            letter["In-Reply-To"] = letter["References"] = came.ident
        return letter


def answer(settings: Settings, to: str, number: str, words: str) -> EmailMessage:
    """Return an operator's answer to a request that came by mail, in the operator's words. Its subject makes a reply a mail to us."""
    return _written(settings, to, f"Serendip-Privacy {reference_numbers.shown(number)}", words + "\n")


def _written(settings: Settings, to: str, subject: str, text: str) -> EmailMessage:
    """Return a mail. A reply is sent to the operator's address, and becomes a request."""
    sender = settings.mail.sender
    letter = EmailMessage()
    letter["From"] = sender
    if "@" in settings.operator.email:
        letter["Reply-To"] = settings.operator.email
    letter["To"] = to
    letter["Subject"] = subject
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("<> ") or "localhost")
    letter.set_content(text)
    return letter


def _language(came: IncomingMail) -> Said:
    return _said(came.language)


def _said(language: str) -> Said:
    return spoken().get(language) or spoken()[ENGLISH]


def site_of(settings: Settings) -> str:
    """Return the service's origin by its first name. Raises RuntimeError if it has none."""
    names = [name for name in settings.server.hosts if "*" not in name]
    public = next((name for name in names if name not in LOCAL), "")
    if public:
        return f"https://{public}"
    if not names:
        raise RuntimeError("server.hosts names no host for the links in answers; say --site URL")
    return f"http://{names[0]}:{settings.server.port}"
