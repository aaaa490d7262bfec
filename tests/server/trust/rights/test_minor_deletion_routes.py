"""Test that a click of a minor deletes without a ticket, from this server's page alone, and that the receipts' key is public."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.http.words.sentence_formatter import said
from server.ops.security import secret_keys
from server.trust.rights.deletion_receipt import Receipts
from tests.server.data.chat_logs.conftest import save, talked
from tests.server.site.web.servers import Server
from tests.server.trust.rights.visitor import Visitor

UNDER, KEY = "/api/under-18", "/.well-known/serendip-receipts"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder."""
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    """One address plays everybody."""
    server = Server(data, SERENDIP_LIMITS__ENABLED="false")
    yield server
    server.stop()


async def test_the_tap_hides_what_is_there_and_clears_the_cookie(server: Server) -> None:
    async with talked(server, "minor", "hello there", "hi") as (one, _, cookies):
        saved = await save(one)
        await one.leave()
    async with Visitor(server, cookie=cookies[0]) as me, Visitor(server, cookie="") as anybody:
        assert (await anybody.get(saved.url)).status == 200
        told = await me.send(UNDER)
        assert (told.status, told.headers["Clear-Site-Data"]) == (204, '"cookies"')
        assert (await anybody.get(saved.url)).status == 404
        page = await me.send("deletion")
        assert page.title == said()["en"]("rights.deleting.title")
        assert said()["en"]("rights.deleting.hidden") in page.text


async def test_another_site_cannot_tap_and_a_stranger_is_answered_the_same(server: Server) -> None:
    async with Visitor(server, cookie="") as stranger, Visitor(server) as known:
        assert (await known.send(UNDER, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
        assert (await stranger.send(UNDER)).status == (await known.send(UNDER)).status == 204


@pytest.mark.blocking  # reads the key
async def test_the_published_key_is_the_one_that_signs(server: Server, data: Path) -> None:
    async with Visitor(server) as anybody:
        published = (await anybody.get(KEY)).text.strip()
    assert published == Receipts(secret_keys.load(data).lasting[secret_keys.Purpose.RECEIPT]).public
