"""Send one mail through the operator's SMTP server (`[mail]`), in one try.

**Invariant:** a failure tells whether another try can succeed; no error's text leaves this module, since a mail server quotes addresses.
"""

from __future__ import annotations

from email.message import EmailMessage
from typing import Final

import aiosmtplib

from server.ops.config.settings import Mail

_OURS = (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPHeloError, aiosmtplib.SMTPAuthenticationError)  # not of one mail
PATIENCE: Final = 15.0  # seconds of one try
AWAY: Final = "the mail server is away, or refuses for now"


class RelayAway(RuntimeError):
    """The mail server cannot be reached, or refused for now; another try may succeed."""


class MailRefused(RuntimeError):
    """The mail server refused the mail for good."""


async def send(letter: EmailMessage, relay: Mail, patience: float = PATIENCE) -> None:
    """Send a mail. Raises RelayAway, MailRefused."""
    try:
        await aiosmtplib.send(
            letter,
            hostname=relay.host,
            port=relay.port,
            username=relay.user or None,
            password=relay.password.get_secret_value() or None,
            use_tls=relay.security == "tls",
            start_tls=relay.security == "starttls",
            timeout=patience,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        if all(refused.code >= 500 for refused in error.recipients):
            raise MailRefused from error
        raise RelayAway(AWAY) from error
    except aiosmtplib.SMTPResponseException as error:
        if error.code >= 500 and not isinstance(error, _OURS):
            raise MailRefused from error
        raise RelayAway(AWAY) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise RelayAway(AWAY) from error
