"""Test the public pages on a real server: a notice from its form to its answer, and refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START

FIELDS = {
    "kind": "chat",
    "about": "25 November, 18:00 UTC",
    "words": "Somebody <b>sells</b> passports.",
    "contact": "me@example.org",
}
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # the command line is a process that is waited for


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's data folder."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    """A server that keeps, whose operator can be written to."""
    server = Server(
        data,
        SERENDIP_OPERATOR__EMAIL="desk@chat.example",
        SERENDIP_SERVER__PROXIES="127.0.0.1",  # so that each of them has a network of their own
    )
    yield server
    server.stop()


def run(data: Path, *words: str) -> str:
    """A command of `serendip safety`; what it prints."""
    command = [sys.executable, "-c", START, "safety", *words, "--data", str(data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


async def post(server: Server, place: str = "192.0.2.1", **fields: str) -> tuple[int, str, str]:
    """(status, where it leads, body) of a notice, sent as our own page's form sends it."""
    url, headers = f"{server.url}notice", {"Origin": server.url.rstrip("/"), "X-Forwarded-For": place}
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data={**FIELDS, **fields}, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def get(server: Server, path: str, place: str = "192.0.2.1") -> tuple[int, str]:
    """(status, body)."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(server.url.rstrip("/") + path, headers={"X-Forwarded-For": place}) as answer,
    ):
        return answer.status, await answer.text()


async def test_from_a_notice_to_its_answer(server: Server, data: Path) -> None:
    status, receipt, _ = await post(server)
    assert status == 303
    assert "It arrived on" in (await get(server, receipt))[1]
    listed = json.loads(run(data, "notices", "list", "--json"))
    assert [one["kind"] for one in listed] == ["chat"]
    ident = listed[0]["id"]
    shown = run(data, "notices", "show", ident[:8], "--why", "my turn")
    for words in FIELDS.values():
        assert words in shown
    told = run(data, "notices", "answer", ident, "acted", "--why", "so it is", "--words", "Thank you. It is gone.")
    assert "answered: acted" in told
    status, page = await get(server, receipt)
    assert status == 200
    assert "and we acted" in page
    assert "Thank you. It is gone." in page
    assert "0 waiting" in run(data, "notices", "list")
    assert "0 months" in run(data, "report", "--from", "2026-01")
    assert "a month is written as" in run(data, "report", "--from", "november")


async def test_the_page_says_that_nobody_reads_where_nobody_does(server: Server) -> None:
    page = (await get(server, "/notice"))[1]
    assert "It is not sure that somebody reads notices" in page
    assert "desk@chat.example" in page


async def test_a_child_is_chosen_beforehand_and_nothing_else_can_be(server: Server) -> None:
    for query in ("kind=child", "about=child"):  # the earlier name
        assert 'value="child" checked' in (await get(server, f"/notice?{query}"))[1]
    assert "checked" not in (await get(server, "/notice?about=%3Cscript%3E"))[1]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "else"}, "Choose what it is about."),
        ({"words": "  "}, "Write a few words."),
        ({"about": ""}, "Say which chat"),
        ({"words": "x" * 2_001}, "2,000 characters at most"),
        ({"contact": "x" * 300}, "254 characters at most"),
    ],
    ids=["kind", "words", "about", "long", "contact"],
)
async def test_what_is_missing_or_too_long_is_said_and_nothing_is_lost(
    server: Server, fields: dict[str, str], said: str
) -> None:
    status, _, page = await post(server, **fields)
    assert status == 400
    assert said in page
    assert "passports" in page or "words" in fields
    assert "<b>sells</b>" not in page


async def test_line_ends_count_once(server: Server) -> None:
    assert (await post(server, place="192.0.3.1", words="x\r\n" * 999))[0] == 303


async def test_a_foreign_page_is_refused_and_so_is_a_body_without_end(server: Server) -> None:
    async with aiohttp.ClientSession() as http:
        url = f"{server.url}notice"
        async with http.post(url, data=FIELDS, headers={"Origin": "https://elsewhere.example"}) as answer:
            assert answer.status == 403
        async with http.post(url, data=b"words=" + b"x" * 70_000) as answer:
            assert answer.status == 413


async def test_a_network_is_told_to_wait_and_the_next_one_is_not(server: Server) -> None:
    found = [(await post(server, place=f"198.51.100.{number}"))[0] for number in range(12)]
    assert found == [303] * 10 + [429] * 2
    assert (await post(server, place="203.0.113.5"))[0] == 303


async def test_the_networks_of_one_site_cannot_fill_the_page_for_all(server: Server) -> None:
    found = [(await post(server, place=f"2001:db8:1:{number:x}00::1"))[0] for number in range(60)]
    assert found == [303] * 40 + [429] * 20
    assert (await post(server, place="2001:db8:2::1"))[0] == 303


async def test_a_guesser_of_receipts_is_told_to_wait(server: Server) -> None:
    found = [(await get(server, "/notice/" + "A" * 22, "198.51.101.7"))[0] for _ in range(22)]
    assert found[:20] == [404] * 20
    assert found[-1] == 429


async def test_what_is_published_is_there_as_a_page_and_as_data(server: Server) -> None:
    assert "a month is published when it is over" in (await get(server, "/transparency"))[1]
    published = json.loads((await get(server, "/api/transparency"))[1])
    assert published["months"] == []
    assert "lines" not in published.get("ledger", {})  # the mark alone, once the purge has made one


async def test_pages_are_labelled_for_filters_unless_the_operator_says_no(server: Server, tmp_path: Path) -> None:
    bare = Server(tmp_path, SERENDIP_STORE__ENABLED="false", SERENDIP_SAFETY__RTA="false")
    try:
        async with aiohttp.ClientSession() as http:
            for at, labelled in ((server, True), (bare, False)):
                for path in ("", "parents", "rules"):
                    async with http.get(at.url + path) as answer:
                        assert ("RTA-5042-1996-1400-1577-RTA" in answer.headers.get("Rating", "")) == labelled
                        page = await answer.text()
                        assert ('<meta name="rating" content="RTA-5042-1996-1400-1577-RTA">' in page) == labelled
                        assert path != "parents" or ("“Restricted to Adults”" in page) == labelled
        assert "This server keeps nothing" in (await get(bare, "/notice"))[1]
        assert (await post(bare))[0] == 503
        assert (await get(bare, "/notice/" + "A" * 22))[0] == 404
        assert (await get(bare, "/transparency"))[0] == 200
    finally:
        bare.stop()


async def test_parents_read_whether_a_program_looks_at_lines(server: Server, tmp_path: Path) -> None:
    watched = "No person reads along, but a program looks at each line for links, scams and danger"
    unwatched = "nobody reads along"
    bare = Server(tmp_path, SERENDIP_STORE__ENABLED="false", SERENDIP_SCREENING__TEXT="off")
    try:
        for at, true, false in ((server, watched, unwatched), (bare, unwatched, watched)):
            status, page = await get(at, "/parents")
            assert status == 200
            assert true in page
            assert false not in page
    finally:
        bare.stop()
