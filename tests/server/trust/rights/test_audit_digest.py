"""Test the weekly letter to the owner: each operator's acts counted, no person and no reason, once a week, and again after a failure."""

from __future__ import annotations

from email.message import EmailMessage

from server.data.privacy import audit_log
from server.ops.process.mail_relay import RelayAway
from server.trust.rights.audit_digest import AGAIN, WEEK, AuditDigest
from tests.server.data.conftest import NOW, Kit


class Relay:
    """A mail server. `away`: it cannot be reached."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.away = False

    async def send(self, letter: EmailMessage) -> None:
        """Take a letter."""
        if self.away:
            raise RelayAway
        self.letters.append(letter)


async def acted(kit: Kit, at: int, operator: str, action: str, *outcomes: str) -> None:
    """Write the lines of an act about a person."""
    for outcome in outcomes:
        await audit_log.write_entry(
            kit.database, now=at, operator=operator, action=action, why="about anna", outcome=outcome, subject=b"p" * 17
        )


async def test_the_owner_reads_once_a_week_how_often_each_operator_looked(kit: Kit) -> None:
    relay = Relay()
    digest = AuditDigest(kit.database, "Serendip <s@chat.example>", "owner@chat.example", relay.send)
    await acted(kit, NOW - 9, "ada", "log show", "asked", "before it was switched on")
    assert not await digest.run(NOW)
    await acted(kit, NOW + 9, "ada", "log show", "asked", "about", "about", "shown to ada")
    await acted(kit, NOW + 10, "ada", "log show", "asked")  # it was killed
    await acted(kit, NOW + 11, "bob", "purge", "chats 3")
    assert not await digest.run(NOW + WEEK - 1)
    assert await digest.run(NOW + WEEK)
    assert not await digest.run(NOW + WEEK)
    (letter,) = relay.letters
    text = letter.get_content()
    assert (letter["To"], letter["Auto-Submitted"]) == ("owner@chat.example", "auto-generated")
    assert "2 operators looked at or changed stored data 3 times" in text
    assert "ada\n       2  log show\n" in text
    assert "bob\n       1  purge\n" in text
    assert not any(word in text for word in ("anna", "shown", "chats 3"))
    assert await digest.run(NOW + 2 * WEEK)
    assert "Nobody did anything." in relay.letters[1].get_content()


async def test_a_letter_that_no_mail_server_took_is_sent_again_and_has_the_whole_time(kit: Kit) -> None:
    relay = Relay()
    digest = AuditDigest(kit.database, "s@chat.example", "owner@chat.example", relay.send)
    await digest.run(NOW)
    await acted(kit, NOW + 9, "ada", "log show", "asked", "shown")
    relay.away = True
    assert not await digest.run(NOW + WEEK)
    relay.away = False
    assert not await digest.run(NOW + WEEK + AGAIN - 1)
    assert await digest.run(NOW + WEEK + AGAIN)
    assert "       1  log show" in relay.letters[0].get_content()


async def test_one_of_several_hosts_sends_it(kit: Kit) -> None:
    relay = Relay()
    digest = AuditDigest(kit.database, "s@chat.example", "owner@chat.example", relay.send)
    await digest.run(NOW)
    async with kit.database.only_letter_writer():
        assert not await digest.run(NOW + WEEK)
    assert await digest.run(NOW + WEEK)
    assert len(relay.letters) == 1
