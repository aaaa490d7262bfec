"""Test that a failure to send a mail says whether another try can help, against a real mail server."""

from email.message import EmailMessage

import pytest

from server.ops.config.settings import Mail
from server.ops.process.mail_relay import MailRefused, RelayAway, send
from tests.server.site.college.conftest import Box, box

__all__ = ["box"]


async def test_a_refusal_is_for_good_or_for_now(box: Box) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "hello@chat.example", "ann@example.org", "A letter"
    letter.set_content("hello")
    relay = Mail(host="127.0.0.1", port=box.port, security="none")
    box.refuse += ["550 no such user ann@example.org", "451 later, ann@example.org"]
    for expected in (MailRefused, RelayAway):
        with pytest.raises(expected) as caught:
            await send(letter, relay)
        assert "ann" not in str(caught.value)
    await send(letter, relay)
    assert "hello" in box.of("ann@example.org")
    with pytest.raises(RelayAway):
        await send(letter, Mail(host="127.0.0.1", port=1, security="none"))
