"""The statement over HTTP: in the browser's language, with what comes, what changed and every version that ever held."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import aiohttp
import pytest

from server.data.privacy.registry_history import current
from server.data.statement.statement_versions import NOTICE, TRANSFER, announce, settle
from server.http.words.sentence_formatter import said
from server.ops.config.settings import Settings
from tests.server.site.omegle.conftest import Caller
from tests.server.site.web.servers import Server
from tests.support.wire import Wire

pytestmark = pytest.mark.blocking  # runs a server and waits for it
FIRST, NEXT = f"{current().number}.1", f"{current().number}.2"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to whose statement a longer life of backups is announced."""
    data = tmp_path_factory.mktemp("data")
    now = int(time.time())
    chosen = {"data": data, "console": {"enabled": False}}
    settle(Settings.model_validate(chosen), now - 100)
    announce(Settings.model_validate({**chosen, "retention": {"backup_days": 60}}), NOTICE, now)
    server = Server(data, SERENDIP_PRIVACY__CHANGES="fail")
    yield server
    server.stop()


def get(server: Server, path: str, language: str = "en") -> tuple[int, str]:
    """Status and text of an answer."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", f"/{path}", headers={"Accept-Language": language})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_the_page_says_what_holds_and_from_when_on_it_changes(server: Server) -> None:
    status, page = get(server, "privacy")
    assert status == 200
    assert f"Version {FIRST}, in effect since" in page
    assert "are kept at most 30 days" in page
    assert f'<a href="/privacy/{NEXT}">This statement changes on ' in page
    data = json.loads(get(server, "api/privacy")[1])
    assert (data["version"], data["coming"]["version"]) == (FIRST, NEXT)
    config = json.loads(get(server, "api/config")[1])
    assert (config["privacy"], config["statement"]["version"]) == (current().number * 1000 + 2, NEXT)


def test_programs_are_told_in_the_first_frame(server: Server) -> None:
    with Wire(server.port) as wire:
        told = wire.hello["statement"]
    assert told["version"] == NEXT
    assert 0 < told["from"] - time.time() <= NOTICE * 86_400


async def test_who_speaks_the_protocol_of_omegle_is_told_once(server: Server) -> None:
    async with aiohttp.ClientSession(server.url) as web:
        said = []
        for one, two in (("ABCDEFGH", ""), ("ABCDEFGH", "IJKLMNOP")):
            pair = [Caller(web), Caller(web)]
            await pair[0].start(randid=one)
            await pair[1].start(randid=two)
            said.append([await told(each) for each in pair])
            await pair[0].post("/disconnect")
    assert said == [[1, 1], [0, 1]]


async def told(caller: Caller) -> int:
    """How often a client is told in a match that the statement changes."""
    events = caller.first
    while ["connected"] not in events:
        events = await caller.events()
    return sum(event[0] == "serverMessage" and event[1].endswith(f"/privacy/{NEXT}") for event in events)


def test_a_transfer_says_to_whom_and_what_one_can_do_before(tmp_path: Path) -> None:
    chosen = {"data": tmp_path, "console": {"enabled": False}}
    now = int(time.time())
    settle(Settings.model_validate(chosen), now - 100)
    announce(Settings.model_validate({**chosen, "operator": {"name": "Buyer <Ltd>"}}), TRANSFER, now, transfer=True)
    moving = Server(tmp_path, SERENDIP_PRIVACY__CHANGES="fail")
    try:
        page, german = get(moving, "privacy")[1], get(moving, "privacy", "de")[1]
        assert "your data goes to Buyer &lt;Ltd&gt;. Until then you can have it deleted, or object" in page
        assert "gehen deine Daten an Buyer &lt;Ltd&gt;" in german
        assert page.count('href="/privacy/request"') == 2
        assert "Your data goes to another operator: Buyer &lt;Ltd&gt;" in get(moving, "privacy/changes")[1]
        assert json.loads(get(moving, "api/privacy")[1])["coming"]["transfer"] == "Buyer <Ltd>"
    finally:
        moving.stop()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_items_of_a_category_are_a_list_of_links_to_them(server: Server, language: str) -> None:
    page = get(server, "privacy", language)[1]
    told = json.loads(get(server, f"api/privacy?lang={language}")[1])["categories"]
    table = page[page.index("<tbody>") : page.index("</tbody>")]
    cells = re.findall(r"<tr>.*<td>(.*)</td></tr>", table)
    assert [re.findall(r'<li><a href="#item-(\w+)">[^<]+</a></li>', cell) for cell in cells] == [
        row["items"] for row in told
    ]
    assert max(len(row["items"]) for row in told) > 1
    for cell in cells:
        assert re.sub(r"<li>.*?</li>", "", cell) in {"<ul></ul>", ""}, "nothing stands beside the list"
        assert all(f'<section id="item-{key}">' in page for key in re.findall(r"#item-(\w+)", cell))


def test_it_is_in_the_language_of_the_browser_or_of_the_link(server: Server) -> None:
    german = get(server, "privacy", "de-AT, en")[1]
    assert '<html lang="de"' in german
    assert "Dein Recht auf Widerspruch" in german
    assert "Dein Recht auf Widerspruch" in get(server, "privacy?lang=de")[1]
    assert "120 Tage, gerechnet ab: Ende des Chats" in german
    assert 'lang="en"' not in german.replace('hreflang="en" lang="en"', "")
    assert "Legal basis" in get(server, "privacy", "en")[1]
    assert "Legal basis" not in german
    assert "Your right to object" in get(server, "privacy?lang=xx", "xx")[1]
    arabic = get(server, "privacy", "ar")[1]
    assert '<html lang="ar" dir="rtl">' in arabic
    assert said()["ar"]("declared.objection.title") in arabic
    assert json.loads(get(server, "api/privacy?lang=de")[1])["language"] == "de"


def test_every_version_is_readable_the_coming_one_too(server: Server) -> None:
    assert "are kept at most 60 days" in get(server, f"privacy/{NEXT}")[1]
    assert "It holds from" in get(server, f"privacy/{NEXT}")[1]
    for number in range(1, current().number + 1):
        assert f"Version {number} of the program" in get(server, f"privacy/{number}")[1]
    for absent in ("privacy/0", "privacy/9999.1", "privacy/1.1.1", "privacy/x", "privacy/..%2f"):
        assert get(server, absent)[0] == 404


def test_what_changed_is_told_in_words(server: Server) -> None:
    page = get(server, "privacy/changes")[1]
    assert "Backups are kept longer: 60 days" in page
    assert page.index(f"Version {NEXT}") < page.index(f"Version {FIRST}")
    assert "Sicherungen bleiben länger: 60 Tage" in get(server, "privacy/changes", "de")[1]
