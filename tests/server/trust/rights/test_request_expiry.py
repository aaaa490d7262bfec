"""Test the letter about a request by mail that nobody proved: who asked is told before it is closed, whatever fails between."""

from __future__ import annotations

import email
import email.policy
import functools
from collections.abc import Iterator

import pytest

from server.ops.config.settings import Mail, Settings
from server.ops.process import mail_relay
from server.trust.data_requests import request_states
from server.trust.data_requests.request_states import LATEST, OUTER
from server.trust.data_requests.request_store import Requests
from server.trust.rights.request_expiry import MOST, RequestExpiry
from server.trust.rights.request_letters import RequestLetters
from tests.server.data.conftest import NOW, Kit
from tests.server.site.college.conftest import Box, box
from tests.server.trust.rights.test_mail_intake import Post, came

__all__ = ["box"]


@pytest.fixture
def post(kit: Kit, box: Box) -> Iterator[Post]:
    """An intake that has sent nothing."""
    box.mails.clear()
    box.refuse.clear()
    yield Post(kit, box)
    box.refuse.clear()


def expiry(post: Post, port: int | None = None) -> RequestExpiry:
    """Return the expiry over the same store and mail server."""
    relay = Mail(host="127.0.0.1", port=port or post.box.port, security="none", sender="privacy@chat.example")
    letters = RequestLetters(Settings(mail=relay), "https://chat.example")
    send = functools.partial(mail_relay.send, relay=relay)
    return RequestExpiry(post.kit.database, post.requests, letters, send)


async def states(requests: Requests) -> list[str]:
    return sorted(one.standing.state for one in await requests.listed(every=True))


async def test_who_asked_by_mail_is_told_in_their_language_before_the_request_ends(post: Post) -> None:
    filed = await post.take(came("Serendip-Privacy delete (de)", "bitte"))
    await post.take(
        came("Serendip-Privacy complaint", sender="bob@example.org")
    )  # needs no proof, so it never ends by itself
    post.box.mails.clear()
    assert await expiry(post).run(NOW + OUTER - 1) == 0
    await post.requests.tick(NOW + OUTER, letters=True)
    assert await states(post.requests) == ["in_progress", "open"], "the letter comes first"
    assert await expiry(post).run(NOW + OUTER) == 1
    ((to, text),) = post.box.mails
    letter = email.message_from_string(text, policy=email.policy.default)
    body = letter.get_body()
    assert body is not None
    assert (to, letter["Auto-Submitted"], letter["Content-Language"]) == ("ann@example.org", "auto-generated", "de")
    said = body.get_content()
    assert "ohne Antwort geschlossen" in said
    assert "https://chat.example/privacy/request?lang=de" in said
    assert "bitte" not in text
    closed = await post.requests.read(filed.number)
    assert (closed.standing.state, closed.text, closed.contact) == (request_states.EXPIRED, "", "")
    assert await expiry(post).run(NOW + OUTER + 60) == 0
    assert len(post.box.mails) == 1


async def test_while_the_mail_server_is_away_it_waits_until_its_text_goes(post: Post) -> None:
    await post.take(came())
    post.box.mails.clear()
    assert await expiry(post, port=1).run(NOW + OUTER) == 0
    assert await states(post.requests) == ["in_progress"]
    await post.requests.tick(NOW + LATEST - 1, letters=True)
    assert await states(post.requests) == ["in_progress"]
    await post.requests.tick(NOW + LATEST, letters=True)  # deletes text and address
    await post.requests.tick(NOW + LATEST, letters=True)
    assert await states(post.requests) == ["expired"]
    assert post.box.mails == []


async def test_without_a_mail_server_and_without_an_address_a_request_ends_as_before(post: Post) -> None:
    await post.take(came())
    await post.requests.tick(NOW + OUTER)
    assert await states(post.requests) == ["expired"]


async def test_a_flood_of_forged_senders_is_not_written_to_at_once(post: Post) -> None:
    for number in range(MOST + 2):
        await post.take(came(sender=f"x{number}@example.org"))
    post.box.mails.clear()
    assert await expiry(post).run(NOW + OUTER) == MOST
    assert len(post.box.mails) == MOST
    assert await expiry(post).run(NOW + OUTER + 60) == 2


async def test_another_host_that_writes_the_letters_is_left_alone(post: Post) -> None:
    await post.take(came())
    post.box.mails.clear()
    async with post.kit.database.only_letter_writer():
        assert await expiry(post).run(NOW + OUTER) == 0
    assert post.box.mails == []


async def test_a_letter_that_is_refused_for_good_ends_it_too(post: Post) -> None:
    await post.take(came())
    post.box.mails.clear()
    post.box.refuse.append("550 no such user")
    assert await expiry(post).run(NOW + OUTER) == 1
    assert await states(post.requests) == ["expired"]
