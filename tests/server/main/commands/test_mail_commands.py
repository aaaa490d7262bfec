"""Test `serendip privacy mail` as a mail server runs it, beside the running service: a real relay, and the link in several browsers."""

from __future__ import annotations

import email
import email.policy
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.http.words.sentence_formatter import said
from server.main.commands.mail_commands import NO_MAIL, TRY_AGAIN
from tests.server.site.college.conftest import Box, box
from tests.server.site.web.servers import ROOT, Server
from tests.server.trust.rights.visitor import Visitor

__all__ = ["box"]
EN = said()["en"]
MAIN = "from server.main.cli import main; main()"


class Pipe:
    """The pipe of a mail server."""

    def __init__(self, folder: Path, box: Box) -> None:
        self.box = box
        self.folder = folder
        self.settings = {
            "SERENDIP_MAIL__HOST": "127.0.0.1",
            "SERENDIP_MAIL__PORT": str(box.port),
            "SERENDIP_MAIL__SECURITY": "none",
            "SERENDIP_MAIL__SENDER": "Serendip <privacy@chat.example>",
            "SERENDIP_LIMITS__ENABLED": "false",
        }

    def deliver(self, raw: bytes, **settings: str) -> subprocess.CompletedProcess[bytes]:
        """Pipe a mail into the command."""
        env = os.environ | self.settings | {"SERENDIP_DATA": str(self.folder)} | settings
        command = [sys.executable, "-c", MAIN, "privacy", "mail", "--site", "http://chat.example"]
        return subprocess.run(command, input=raw, env=env, cwd=ROOT, capture_output=True, timeout=120, check=False)

    def link(self, sender: str) -> str:
        """Return the path of the link in the one receipt to an address."""
        letter = email.message_from_string(self.box.of(sender), policy=email.policy.default)
        body = letter.get_body()
        assert body is not None
        found = re.search(r"http://chat\.example(\S+)", body.get_content())
        assert found is not None
        return found[1]


@pytest.fixture(scope="module")
def pipe(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Pipe:
    return Pipe(tmp_path_factory.mktemp("mail"), box)


@pytest.fixture(scope="module")
def server(pipe: Pipe) -> Iterator[Server]:
    server = Server(pipe.folder, **pipe.settings)
    yield server
    server.stop()


def mail(sender: str, subject: str) -> bytes:
    return f"Return-Path: <{sender}>\nFrom: {sender}\nSubject: {subject}\n\nMy words.\n".encode()


async def test_the_link_proves_the_request_in_the_browser_of_the_chats_and_in_no_other(
    server: Server, pipe: Pipe
) -> None:
    done = pipe.deliver(mail("ann@example.org", "Serendip-Privacy delete"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ann" not in done.stdout
    assert b"answer: sent" in done.stdout
    link = pipe.link("ann@example.org")
    secret = link.partition("?")[0].rpartition("/")[2]
    async with Visitor(server) as mine, Visitor(server, cookie="") as wrong, Visitor(server) as other:
        for _ in range(2):  # a program that looks at links changes nothing
            opened = await wrong.get(link)
            assert (opened.status, opened.title) == (200, EN("rights.state"))
        assert EN("rights.browser.no") in opened.text
        (number,) = re.findall(r'name="number" value="([^"]+)"', opened.text)
        nobody = await wrong.send("claim", number=number, secret=secret)
        assert nobody.title == EN("rights.refused.wrong.title")
        assert (await mine.send("claim", number=number, secret="A" * 22)).status == 403
        opened = await mine.get(link)
        assert EN("rights.claim.go") in opened.text
        assert "My words" not in opened.text
        claimed = await mine.send("claim", number=number, secret=secret)
        assert EN("rights.claimed") in claimed.text
        assert claimed.once == [number]
        assert (await wrong.get(link)).status == 403, "the mail's link is spent"
        assert (await other.send("claim", number=number, secret=secret)).status == 403
        home = await mine.get()
        assert number in home.text
        assert number not in (await other.get()).text
        deleted = await mine.send("delete/confirm", token=(await mine.send("delete")).token, records="1", logs="1")
        assert number in deleted.text, "the deletion is the request of the mail"


async def test_a_rights_key_proves_it_in_any_browser(server: Server, pipe: Pipe) -> None:
    assert pipe.deliver(mail("bob@example.org", "Omegle-Privacy access")).returncode == 0
    link = pipe.link("bob@example.org")
    secret = link.partition("?")[0].rpartition("/")[2]
    async with Visitor(server) as mine, Visitor(server, cookie="") as elsewhere:
        (key,) = (await mine.send("key")).once
        (number,) = re.findall(r'name="number" value="([^"]+)"', (await elsewhere.get(link)).text)
        claimed = await elsewhere.send("claim", number=number, secret=secret, proof=key)
        assert EN("rights.claimed") in claimed.text
        assert number in (await mine.get()).text
        await mine.send("see")
        assert number not in (await mine.get()).text, "what was asked by mail is answered by the page"


def test_a_mail_waits_at_the_mail_server_while_something_is_away(pipe: Pipe, server: Server, tmp_path: Path) -> None:
    raw = mail("cleo@example.org", "Serendip-Privacy know")
    for settings in (
        {"SERENDIP_STORE__DATABASE": "postgresql+asyncpg://nobody@127.0.0.1:1/none"},
        {"SERENDIP_DATA": str(tmp_path / "none")},
        {"SERENDIP_MAIL__HOST": ""},
        {"SERENDIP_MAIL__PORT": "1"},
        {"SERENDIP_MAIL__PORT": "many"},
    ):
        done = pipe.deliver(raw, **settings)
        assert done.returncode == TRY_AGAIN, settings
        assert done.stderr.count(b"\n") == 1, done.stderr
        assert b"cleo" not in done.stdout + done.stderr
    assert b"answer: sent" in pipe.deliver(raw).stdout


def test_what_is_no_mail_goes_back_to_its_sender(pipe: Pipe, server: Server) -> None:
    done = pipe.deliver(b"\x00\xff" * 1000)
    assert (done.returncode, done.stdout) == (NO_MAIL, b"")
    assert b"not a mail" in done.stderr


def test_three_mebibytes_are_read_to_the_end_and_their_text_is_kept(pipe: Pipe, server: Server) -> None:
    done = pipe.deliver(mail("dan@example.org", "Serendip-Privacy know") + b"x" * 3_000_000)
    assert done.returncode == 0, done.stderr
