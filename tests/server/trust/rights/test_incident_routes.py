"""The page of incidents of a real server, and what the page is told so that its banner leads there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import pytest

from server.data.statement.term_translations import SAID
from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # the command line is a process that is waited for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose store has an incident from before its start."""
    data = tmp_path_factory.mktemp("data")
    words = data / "words"
    words.write_text("<b>A disk</b> was lost.")
    some = ("--words", str(words), "--authority", "Datatilsynet", "--categories", "A", "--people", "1200")
    for command in (("init",), ("db", "migrate"), ("privacy", "incident", "new", *some)):
        run = [sys.executable, "-c", START, *command, "--data", str(data)]
        subprocess.run(run, cwd=ROOT, check=True, capture_output=True, timeout=60)
    server = Server(data)
    yield server
    server.stop()


async def get(server: Server, path: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(server.url + path) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_an_incident_is_read_by_everybody_and_the_page_is_told(server: Server) -> None:
    text = await get(server, "privacy/incidents")
    assert "&lt;b&gt;A disk&lt;/b&gt; was lost." in text
    assert "about 1,200" in text
    assert "within 72 hours" in text
    assert SAID["en"]("Identifiers") in text, "the name of a category, not the law's letter"
    norwegian = await get(server, "privacy/incidents?lang=nb")
    assert "innen 72 timer" in norwegian
    assert SAID["nb"]("Identifiers") in norwegian
    async with asyncio.timeout(60):
        while "incident" not in (config := json.loads(await get(server, "api/config"))):
            pass
    assert set(config["incident"]) == {"since"}
