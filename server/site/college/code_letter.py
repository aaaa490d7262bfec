"""Write the mail with the code and the link of college mode.

**Invariant:** plain text, without data of the user, and with advice for recipients who did not request it.
"""

from email.message import EmailMessage
from email.utils import make_msgid

from server.http.words.sentence_formatter import Said


def write_letter(sender: str, to: str, code: str, link: str, domain: str, t: Said) -> EmailMessage:
    """Return the mail to one address. `t`: the language of the request."""
    letter = EmailMessage()
    letter["From"] = sender
    letter["To"] = to
    letter["Subject"] = t.text("mail.subject", code=code)
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("<> ") or "localhost")
    letter["Auto-Submitted"] = "auto-generated"
    parts = (
        t.text("mail.code", code=code),
        f"{t.text('mail.type')}\n{link}",
        f"{t.text('mail.careful', college=domain)}\n{t.text('mail.other')}",
    )
    letter.set_content("\n\n".join(parts) + "\n")
    letter["Content-Language"] = t.language
    return letter
