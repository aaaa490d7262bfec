"""Test that an operator's answer reaches who wrote a mail, and that a request stays open while it cannot be sent."""

from __future__ import annotations

import asyncio
import email
import email.policy
from dataclasses import replace

import pytest

from server.data.errors import Busy
from server.ops.config.settings import Mail, Operator, Settings
from server.ops.process.mail_relay import RelayAway
from server.ops.security.reference_numbers import shown
from server.trust.data_requests import request_states
from server.trust.data_requests.incoming_mail import OTHER, parse
from server.trust.data_requests.request_states import NotAllowed
from server.trust.data_requests.request_store import TEXT, NewRequest, Requests
from server.trust.rights.request_answers import close
from tests.server.data.conftest import NOW, Kit
from tests.server.site.college.conftest import Box, box

__all__ = ["box"]
BY_MAIL = NewRequest("complaint", "mail", 0, text="my words", contact="ann@example.org")
WORDS = "We looked at it.\nIt is mended."


@pytest.fixture
def settings(box: Box) -> Settings:
    box.mails.clear()
    relay = Mail(host="127.0.0.1", port=box.port, security="none", sender="Serendip <robot@chat.example>")
    return Settings(mail=relay, operator=Operator(email="privacy@chat.example"))


async def test_the_answer_to_a_mail_is_mailed_in_the_operators_words(kit: Kit, box: Box, settings: Settings) -> None:
    requests = Requests(kit.database, kit.pseudonyms)
    number = await requests.open(BY_MAIL, NOW)
    done = await close(requests, settings, shown(number), request_states.FULFILLED, NOW + 5, words=WORDS)
    assert (done.standing.state, done.mailed) == ("fulfilled", "sent")
    ((to, text),) = box.mails
    letter = email.message_from_string(text, policy=email.policy.default)
    assert (to, letter["Subject"], letter.get_content().replace("\r\n", "\n")) == (
        "ann@example.org", f"Serendip-Privacy {shown(number)}", f"{WORDS}\n"
    )  # fmt: skip
    assert letter["Reply-To"] == "privacy@chat.example", "whose mails are requests"
    assert "my words" not in text
    assert (await requests.read(number)).answer == WORDS
    reply = parse(f"From: ann@example.org\nSubject: Re: {letter['Subject']}\n\nthanks\n".encode())
    assert (reply.kind, reply.automatic) == (OTHER, False)


async def test_while_the_answer_cannot_be_mailed_the_request_stays_open(kit: Kit, box: Box, settings: Settings) -> None:
    requests = Requests(kit.database, kit.pseudonyms)
    number = await requests.open(BY_MAIL, NOW)
    box.refuse.append("451 later")
    with pytest.raises(RelayAway):
        await close(requests, settings, number, request_states.FULFILLED, NOW, words=WORDS)
    assert (await requests.read(number)).standing.state == "open"
    with pytest.raises(NotAllowed):
        await close(requests, settings, number, request_states.FULFILLED, NOW, words="x" * (TEXT + 1))
    box.refuse.append("550 no such user")
    assert (await close(requests, settings, number, request_states.FULFILLED, NOW, words=WORDS)).mailed == "refused"
    with pytest.raises(NotAllowed):
        await close(requests, settings, number, request_states.FULFILLED, NOW, words=WORDS)
    assert box.mails == []


async def test_two_operators_at_once_send_one_mail(kit: Kit, box: Box, settings: Settings) -> None:
    requests = Requests(kit.database, kit.pseudonyms)
    number = await requests.open(BY_MAIL, NOW)
    both = (close(requests, settings, number, request_states.FULFILLED, NOW, words=WORDS) for _ in range(2))
    found = await asyncio.gather(*both, return_exceptions=True)
    assert [isinstance(one, Busy | NotAllowed) for one in found].count(True) == 1
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    "asked", [replace(BY_MAIL, by="page"), replace(BY_MAIL, by="letter"), replace(BY_MAIL, contact="")]
)
async def test_nothing_is_mailed_about_other_requests(
    kit: Kit, box: Box, settings: Settings, asked: NewRequest
) -> None:
    requests = Requests(kit.database, kit.pseudonyms)
    number = await requests.open(asked, NOW)
    done = await close(requests, settings, number, request_states.DENIED, NOW, "other", WORDS)
    assert (done.standing.state, done.mailed, box.mails) == ("denied", "", [])
