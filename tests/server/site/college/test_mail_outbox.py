"""What became of mails is in the metrics: sent, tried again, given up; against a real mail server."""

import asyncio
from email.message import EmailMessage

import orjson

from server.ops.config.settings import Mail
from server.site.college.mail_outbox import Outbox
from tests.server.site.college.conftest import Box


def letter(address: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "hello@chat.example", address, "A code"
    made.set_content("123456")
    return made


async def test_mails_are_counted_by_what_became_of_them(box: Box) -> None:
    outbox = Outbox(Mail(host="127.0.0.1", port=box.port, security="none"), waits=(0.0, 0.0, 0.0))
    given_up = asyncio.Event()
    box.refuse = ["550 no such box"]
    outbox.put(b"refused", letter("refused@uio.no"), given_up.set)
    assert outbox.reading()["serendip_mail_waiting"] == 1
    await asyncio.wait_for(given_up.wait(), 20)
    box.refuse = ["451 later", "451 later"]
    outbox.put(b"greylisted", letter("greylisted@uio.no"), given_up.clear)
    await asyncio.to_thread(box.of, "greylisted@uio.no")
    async with asyncio.timeout(20):
        while len(outbox):  # noqa: ASYNC110 - the end of a letter has no event
            await asyncio.sleep(0.01)
    assert outbox.reading() == {
        "serendip_mail_letters": {("sent",): 1, ("retried",): 2, ("failed",): 1},
        "serendip_mail_waiting": 0,
    }
    assert given_up.is_set()


async def test_a_mail_server_that_is_away_shows_as_tries_without_anything_sent() -> None:
    outbox = Outbox(Mail(host="127.0.0.1", port=1, security="none"), waits=(0.0, 0.0))
    given_up = asyncio.Event()
    outbox.put(b"away", letter("away@uio.no"), given_up.set)
    await asyncio.wait_for(given_up.wait(), 20)
    assert outbox.reading()["serendip_mail_letters"] == {("sent",): 0, ("retried",): 2, ("failed",): 1}
    await outbox.stop()


async def test_a_letter_that_waits_for_another_try_is_brought_by_the_next_process(box: Box) -> None:
    settings = Mail(host="127.0.0.1", port=box.port, security="none")
    old, new = Outbox(settings, waits=(0.0, 600.0)), Outbox(settings, waits=(0.0, 0.0, 0.0))
    box.refuse = ["451 later", "451 later"]
    old.put(b"later", letter("later@uio.no"), lambda: None)
    async with asyncio.timeout(20):
        while not old.tally["retried"]:  # noqa: ASYNC110 - a try has no event
            await asyncio.sleep(0.01)
        pieces = [(orjson.loads(orjson.dumps(facts)), blob) for facts, blob in old.pack()]
        assert (len(pieces), len(old)) == (1, 0)
        facts, blob = pieces[0]
        assert (facts["tries"], round(facts["wait"])) == (1, 600)
        new.unpack(facts | {"wait": 0.0}, blob, lambda: None)
        assert "123456" in await asyncio.to_thread(box.of, "later@uio.no")
        while len(new):  # noqa: ASYNC110 - the end of a letter has no event
            await asyncio.sleep(0.01)
    assert new.tally == {"sent": 1, "retried": 1, "failed": 0}


async def test_a_letter_that_moved_has_the_rest_of_its_time_and_who_waits_hears_of_its_end() -> None:
    new = Outbox(Mail(host="127.0.0.1", port=1, security="none"))
    given_up = asyncio.Event()
    facts = {"key": b"away".hex(), "tries": 3, "left": 0.05, "wait": 30.0}
    new.unpack(facts, letter("away@uio.no").as_bytes(), given_up.set)
    await asyncio.wait_for(given_up.wait(), 20)
    assert new.tally["failed"] == 1
