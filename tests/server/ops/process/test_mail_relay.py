"""Test that a failure to send a mail says whether another try can help, against a real mail server."""

import asyncio
import contextlib
from email.message import EmailMessage

import pytest
from pydantic import SecretStr

from server.ops.config.settings import Mail
from server.ops.process.mail_relay import MailRefused, RelayAway, send
from tests.server.site.college.conftest import Box, box

__all__ = ["box"]


def letter_to_ann() -> EmailMessage:
    """A mail."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "hello@chat.example", "ann@example.org", "A letter"
    letter.set_content("hello")
    return letter


async def test_a_refusal_is_for_good_or_for_now(box: Box) -> None:
    letter, relay = letter_to_ann(), Mail(host="127.0.0.1", port=box.port, security="none")
    box.refuse += ["550 no such user ann@example.org", "451 later, ann@example.org"]
    for expected in (MailRefused, RelayAway):
        with pytest.raises(expected) as caught:
            await send(letter, relay)
        assert "ann" not in str(caught.value)
    await send(letter, relay)
    assert "hello" in box.of("ann@example.org")
    with pytest.raises(RelayAway):
        await send(letter, Mail(host="127.0.0.1", port=1, security="none"))


@pytest.mark.parametrize(
    "answers", [{"EHLO": "550 no", "HELO": "550 no"}, {"EHLO": "250-x\r\n250 AUTH PLAIN", "AUTH": "535 wrong password"}]
)
async def test_a_server_that_refuses_every_mail_is_away_until_the_operator_mends_it(answers: dict[str, str]) -> None:
    served: list[asyncio.Future[None]] = []  # before Python 3.12 a server does not wait for them

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(ended := asyncio.get_running_loop().create_future())
        writer.write(b"220 mail.example\r\n")
        while line := await reader.readline():
            verb = line.decode().split()[0].upper()
            writer.write(answers.get(verb, "221 bye").encode() + b"\r\n")
            if verb == "QUIT":
                break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        ended.set_result(None)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        relay = Mail(host="127.0.0.1", port=port, security="none", user="us", password=SecretStr("old"))
        with pytest.raises(RelayAway):
            await send(letter_to_ann(), relay)
        await asyncio.gather(*served)
