"""The mail with the code. Rule: plain text, nothing of the person in it, and what to do who did not ask for it."""

from email.message import EmailMessage
from email.utils import make_msgid

SUBJECT = "{code} is your Serendip code"
TEXT = """\
Your code: {code}

Type it where you asked for it. Or open this link in the same browser and press the button there:
{link}

Both are good for 10 minutes. Whoever has the code can say that they study at {domain}: give it to nobody.
If you did not ask for it, do nothing. We have kept only a keyed fingerprint of your address, for an hour.
"""


def written(sender: str, to: str, code: str, link: str, domain: str) -> EmailMessage:
    """The mail to one address."""
    letter = EmailMessage()
    letter["From"] = sender
    letter["To"] = to
    letter["Subject"] = SUBJECT.format(code=code)
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("<> ") or "localhost")
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(TEXT.format(code=code, link=link, domain=domain))
    return letter
