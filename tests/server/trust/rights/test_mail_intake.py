"""Test the intake of mails over both databases, against a real mail server: one request and one answer a day and address, whatever fails between."""

from __future__ import annotations

import email
import email.policy
import functools
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update

from server.data.schema.data_request_schema import request, request_mail
from server.http.words.sentence_formatter import said
from server.ops.config.settings import Mail, Operator, Settings
from server.ops.process import mail_relay
from server.ops.process.mail_relay import RelayAway
from server.ops.security.url_token_generator import decode
from server.trust.data_requests import request_store
from server.trust.data_requests.incoming_mail import IncomingMail, parse
from server.trust.data_requests.request_states import DAY, DUE
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.data_requests.rights_ports import QueueFull, Request
from server.trust.rights import mail_intake
from server.trust.rights.mail_intake import Filed, MailIntake
from server.trust.rights.request_letters import RequestLetters
from tests.server.data.conftest import NOW, Kit
from tests.server.site.college.conftest import Box, box

__all__ = ["box"]
ME = 11


def came(
    subject: str = "Serendip-Privacy delete", body: str = "please", sender: str = "ann@example.org", head: str = ""
) -> IncomingMail:
    """A mail."""
    return parse(f"Return-Path: <{sender}>\nFrom: {sender}\n{head}Subject: {subject}\n\n{body}\n".encode())


class Post:
    """The intake of a store, with the mails that it sent."""

    def __init__(self, kit: Kit, box: Box) -> None:
        relay = Mail(host="127.0.0.1", port=box.port, security="none", sender="Serendip <privacy@chat.example>")
        settings = Settings(mail=relay, operator=Operator(name="Serendip's operator"))
        self.requests = Requests(kit.database, kit.pseudonyms)
        self.kit, self.box = kit, box
        self.intake = MailIntake(
            kit.database, kit.pseudonyms, self.requests, RequestLetters(settings, "https://chat.example"),
            functools.partial(mail_relay.send, relay=relay),
        )  # fmt: skip

    async def take(self, mail: IncomingMail, now: int = NOW) -> Filed:
        """File a mail."""
        return await self.intake.take(mail, now)

    def sent(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text) of each mail that was sent."""
        found = []
        for to, text in self.box.mails:
            letter = email.message_from_string(text, policy=email.policy.default)
            body = letter.get_body()
            assert body is not None
            assert letter["Auto-Submitted"] == "auto-replied"
            found.append((to, str(letter["Subject"]), body.get_content()))
        return found

    async def rows(self) -> list[Request]:
        """All requests with their texts."""
        return [await self.requests.read(one.number) for one in await self.requests.listed(every=True)]


@pytest.fixture
def post(kit: Kit, box: Box) -> Iterator[Post]:
    """An intake that has sent nothing."""
    box.mails.clear()
    box.refuse.clear()
    yield Post(kit, box)
    box.refuse.clear()


def link_of(text: str) -> tuple[str, str]:
    """Number and secret in a receipt's link."""
    found = re.search(r"https://chat\.example/privacy/request/(\w{13})/([\w-]{22})", text)
    assert found is not None, text
    return found[1], found[2]


async def test_a_mail_becomes_a_request_and_gets_a_receipt_with_number_date_and_link(post: Post) -> None:
    done = await post.take(came())
    (row,) = await post.rows()
    assert (row.number, row.kind, row.by, row.level, row.standing.state, row.standing.received) == (
        done.number, "delete", "mail", 0, "in_progress", NOW
    )  # fmt: skip
    assert (row.text, row.contact) == ("Serendip-Privacy delete\n\nplease", "ann@example.org")
    ((to, subject, text),) = post.sent()
    number, secret = link_of(text)
    assert (to, number) == ("ann@example.org", done.number)
    assert said()["en"].day(NOW + DUE) in text
    assert "please" not in text + subject, "an answer to a forged address carries nothing of the forger's"
    found = await post.requests.find(number, None, decode(secret))
    assert found is not None
    assert found.kind == "delete"


@pytest.mark.parametrize("language", sorted(said()))
async def test_the_receipt_is_in_the_language_of_the_subject(post: Post, language: str) -> None:
    await post.take(came(f"Serendip-Privacy complaint ({language})"))
    ((_, subject, text),) = post.sent()
    t = said()[language]
    assert subject.startswith(t.text("mail.request.subject", number="").strip())
    assert t.text("mail.request.read") in text
    assert f"?lang={language}" in text


async def test_a_kind_that_needs_no_proof_begins_open_and_never_expires(post: Post) -> None:
    for n, kind in enumerate(("complaint", "child", "nothing of ours")):
        await post.take(came(f"Omegle-Privacy {kind}", sender=f"a{n}@example.org"))
    await post.requests.tick(NOW + 300 * DAY)
    assert [(row.kind, row.standing.state, row.standing.due - NOW) for row in await post.rows()][:1] == [
        ("child", "open", 3 * DAY)
    ], "first in the list"
    assert {(row.kind, row.standing.state) for row in await post.rows()} == {
        (kind, "open") for kind in ("complaint", "child", "other")
    }
    assert said()["en"].day(NOW + 3 * DAY) in post.sent()[1][2]


async def test_the_second_mail_of_a_day_joins_the_first_and_is_not_answered(post: Post) -> None:
    first = await post.take(came())
    for n in range(3):
        assert await post.take(came(body=f"more {n}", sender="Ann@Example.org"), NOW + 60 + n) == Filed(
            first.number, "none"
        )
    (row,) = await post.rows()
    assert row.text.startswith("Serendip-Privacy delete\n\nplease")
    assert all(f"more {n}" in row.text for n in range(3))
    later = await post.take(came(body="the next day"), NOW + DAY + 60)
    assert later.answer == "sent"
    assert later.number != first.number
    assert len(post.sent()) == 2


async def test_the_same_mail_delivered_again_makes_no_second_request(post: Post) -> None:
    post.box.refuse.append("451 later")
    with pytest.raises(RelayAway):
        await post.take(came())
    again = await post.take(came(), NOW + 300)
    assert again.answer == "sent"
    assert await post.take(came(), NOW + 600) == Filed(again.number, "none")
    (row,) = await post.rows()
    assert row.text.count("please") == 1
    ((_, _, text),) = post.sent()
    number, secret = link_of(text)
    assert await post.requests.find(number, None, decode(secret)) is not None, "the link of the answer that was sent"


async def test_while_the_relay_is_away_for_days_a_mail_is_one_request_with_its_own_dates(post: Post) -> None:
    post.box.refuse += ["451 later"] * 4
    for n in range(4):
        with pytest.raises(RelayAway):
            await post.take(came(), NOW + n * (DAY - 60))
    assert (await post.take(came(), NOW + 4 * (DAY - 60))).answer == "sent"
    assert len(await post.rows()) == 1
    ((_, _, text),) = post.sent()
    assert said()["en"].day(NOW + DUE) in text


async def test_mails_without_a_readable_address_are_requests_of_their_own(post: Post) -> None:
    mails = [parse(f"From: \u00e4nn@example.org\nSubject: x\n\nwords {n}\n".encode()) for n in (1, 2, 1)]
    assert {(await post.take(one)).answer for one in mails} == {"none"}
    assert sorted(row.text for row in await post.rows()) == ["x\n\nwords 1", "x\n\nwords 2"]


async def test_a_receipt_that_is_sent_again_opens_nothing_that_was_proved_meanwhile(post: Post) -> None:
    done = await post.take(came())
    number, secret = link_of(post.sent()[0][2])
    await post.requests.claim(number, decode(secret) or b"", ME, NOW)
    async with post.kit.database.write() as connection:  # as after a crash between the mail and its mark
        await connection.execute(update(request_mail).values(answered=None))
    assert await post.take(came(), NOW + 60) == Filed(done.number, "sent")
    number, secret = link_of(post.sent()[1][2])
    assert await post.requests.find(number, None, decode(secret)) is None


async def test_a_proved_mail_joins_the_open_request_with_its_words(post: Post) -> None:
    mine = await post.requests.open(NewRequest("delete", "page", 3, ME, "on the page"), NOW)
    await post.take(came())
    number, secret = link_of(post.sent()[0][2])
    assert await post.requests.claim(number, decode(secret) or b"", ME, NOW) == mine
    assert (await post.requests.read(mine)).text == "on the page\n\nSerendip-Privacy delete\n\nplease"
    assert (await post.requests.read(number)).text == ""


async def test_an_address_that_the_mail_server_refuses_keeps_its_request(post: Post) -> None:
    post.box.refuse.append("550 no such user")
    assert (await post.take(came())).answer == "refused"
    assert len(await post.rows()) == 1


@pytest.mark.parametrize("head", ["Auto-Submitted: auto-replied\n", "Precedence: bulk\n"])
async def test_what_a_program_wrote_is_stored_and_never_answered(post: Post, head: str) -> None:
    mails = [came(head=head, body=f"again {n}") for n in range(5)]
    mails.append(parse(b"Return-Path: <>\nFrom: MAILER-DAEMON@example.org\nSubject: undeliverable\n\nx\n"))
    for mail in mails:
        assert (await post.take(mail)).answer == "none"
    assert len(await post.rows()) == 2
    assert {row.contact for row in await post.rows()} == {""}
    assert post.sent() == []


async def test_two_services_that_answer_each_other_stop_at_once(post: Post) -> None:
    await post.take(came(sender="privacy@other.example"))
    ((_, answer),) = post.box.mails
    echo = parse(
        f"Return-Path: <privacy@other.example>\n{answer.replace('privacy@chat.example', 'privacy@other.example')}".encode()
    )
    assert (await post.take(echo, NOW + 1)).answer == "none"
    assert len(post.sent()) == 1


async def test_a_program_with_a_persons_address_does_not_cost_them_their_answer(post: Post) -> None:
    await post.take(came(head="Auto-Submitted: auto-generated\n", body="forged"))
    assert (await post.take(came(), NOW + 1)).answer == "sent"
    (row,) = await post.rows()
    assert row.contact == "ann@example.org"
    ((_, _, text),) = post.sent()
    number, secret = link_of(text)
    assert await post.requests.find(number, None, decode(secret)) is not None


async def test_shine_the_light_is_answered_by_the_statement_without_a_request(post: Post) -> None:
    assert await post.take(came("Omegle-Privacy shine the light")) == Filed("", "sent")
    assert (await post.take(came("Omegle-Privacy shine the light", body="again"))).answer == "none"
    ((_, subject, text),) = post.sent()
    assert "Shine the Light" in subject
    assert "1798.83" in text


async def test_a_forged_sender_gets_nothing_of_anybodys(post: Post) -> None:
    mine = await post.requests.open(NewRequest("delete", "page", 3, ME), NOW)
    done = await post.take(came(sender="victim@example.org"))
    assert done.number != mine
    assert [number for number, _, _ in await post.requests.of(ME)] == [mine]


async def test_a_link_proves_the_request_to_the_browser_once_and_forgets_the_mail(post: Post) -> None:
    done = await post.take(came())
    ((_, _, text),) = post.sent()
    number, secret = link_of(text)
    assert await post.requests.claim(number, b"x" * 16, ME, NOW) is None
    assert await post.requests.claim(number, decode(secret) or b"", ME, NOW + 5) == done.number
    assert await post.requests.claim(number, decode(secret) or b"", 22, NOW + 6) is None, "the link is spent"
    row = await post.requests.read(number)
    assert (row.level, row.standing.state, row.standing.reason, row.contact) == (3, "in_progress", "", "")
    assert await post.requests.find(number, None, decode(secret)) is None
    assert (await post.take(came(body="more"), NOW + 60)).number != number, "nothing is added to what is proved"


async def test_what_the_page_answers_closes_the_proved_mail(post: Post) -> None:
    done = await post.take(came("Serendip-Privacy know"))
    ((_, _, text),) = post.sent()
    number, secret = link_of(text)
    await post.requests.claim(number, decode(secret) or b"", ME, NOW)
    assert await post.requests.answered(NewRequest("know", "page", 3, ME), NOW + 5) == done.number
    assert (await post.requests.read(number)).standing.state == "fulfilled"


async def test_a_flood_of_mails_fills_its_own_queue_and_leaves_the_page_open(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_store, "QUEUE", 5)
    for n in range(5):
        await post.take(came(sender=f"a{n}@example.org"))
    with pytest.raises(QueueFull):
        await post.take(came(sender="b@example.org"))
    async with post.kit.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(request_mail))).scalar() == 5
    await post.requests.open(NewRequest("other", "page", 0, text="x", secret=b"s" * 16), NOW)
    assert await post.requests.clear(NOW, NOW + 1, NOW, "too_many_requests", by="mail") == 5
    assert (await post.take(came(sender="b@example.org"))).answer == "sent"


async def test_a_flood_of_forged_senders_gets_a_bounded_number_of_answers(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mail_intake.ANSWERS_A_DAY == 1_000
    monkeypatch.setattr(mail_intake, "ANSWERS_A_DAY", 2)
    answers = [(await post.take(came(sender=f"a{n}@example.org"))).answer for n in range(4)]
    assert answers == ["sent", "sent", "none", "none"]
    assert len(await post.rows()) == 4, "each is a request that an operator can answer"
    assert (await post.take(came(sender="b@example.org"), NOW + DAY + 1)).answer == "sent"


async def test_a_mails_address_is_forgotten_after_a_day(post: Post) -> None:
    await post.take(came())
    post.kit.now = NOW + DAY + 1
    done = await post.kit.purge().run()
    assert done.proved
    assert await post.kit.count("request_mail") == 0
    assert await post.kit.count("request") == 1
    async with post.kit.database.read() as connection:
        assert (await connection.execute(select(request.c.who))).scalar() is None
