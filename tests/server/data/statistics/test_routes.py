"""The statistics of a real server: chats of two workers are counted at its end, and a closed month is served to people and programs."""

from __future__ import annotations

import asyncio
import calendar
import csv
import datetime
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import make_mocked_request

from server.data.statistics.routes import StatisticsRoutes
from server.http.pages import Pages
from server.http.words.sentence_formatter import said
from tests.server.data.chat_logs.conftest import get, talked
from tests.server.site.web.servers import Server

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]
LAST = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
MONTH = f"{LAST.replace(day=1) - datetime.timedelta(days=1):%Y-%m}"  # the newest that is closed
DAYS = calendar.monthrange(int(MONTH[:4]), int(MONTH[5:]))[1]
STRANGERS = 3  # pairs that talk


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's data folder."""
    return tmp_path_factory.mktemp("statistics")


def figures(data: Path) -> dict[tuple[str, str], int]:
    """The sums of chats in the database, by month and name."""
    with sqlite3.connect(data / "serendip.db") as database:
        rows = database.execute("SELECT month, name, count FROM month_figure WHERE name LIKE 'chats/%'").fetchall()
    database.close()
    return {(month, name): count for month, name, count in rows}


def close_a_month(data: Path) -> None:
    """Add the sums of last month: evenings are busy."""
    rows = [
        (f"hour/{kind}/{hour:02}/text", DAYS * (80 if 18 <= hour < 22 else 11))
        for kind in ("weekday", "weekend")
        for hour in range(24)
    ]
    rows += [
        ("length/60", DAYS * 400),
        ("length/0", DAYS * 30),
        ("ending/left", DAYS * 420),
        ("ending/restart", DAYS * 3),
    ]
    rows += [("language/en", DAYS * 300), ("language/de", DAYS * 120), ("language/fi", DAYS * 10)]
    with sqlite3.connect(data / "serendip.db") as database:
        database.executemany("INSERT INTO month_figure VALUES (?, 'chats/' || ?, ?)", [(MONTH, *row) for row in rows])
        database.execute("UPDATE month_figure SET count = 0 WHERE name = 'chats/since'")
    database.close()


async def shown(server: Server, path: str = "/statistics") -> tuple[int, str, dict[str, str]]:
    """The answer once the months have been read: status, body, headers."""
    async with asyncio.timeout(60):
        while (answer := await get(server, path))[0] == 503:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)
    return answer


async def test_chats_of_two_workers_are_counted_and_nothing_is_shown_before_a_month_is_over(data: Path) -> None:
    server = Server(data, SERENDIP_LIMITS__ENABLED="false", SERENDIP_WORKERS="2")
    try:
        for number in range(STRANGERS):
            async with talked(server, f"topic {number}", "hello"):
                pass
        status, body, _ = await shown(server)
        assert (status, "a month is published a day after its end" in body) == (200, True)
        assert "hours" not in json.loads((await get(server, "/api/config"))[1])
    finally:
        server.stop()
    found = figures(data)
    assert [count for (_, name), count in found.items() if name == "chats/language/en"] == [STRANGERS]
    tables = {name.split("/")[1] for _, name in found}
    assert tables == {"since", "hour", "length", "ending", "language"}
    for table in tables - {"since"}:
        assert sum(count for (_, name), count in found.items() if name.startswith(f"chats/{table}/")) == STRANGERS


async def test_until_the_months_are_read_the_page_says_so_in_the_reader_s_language() -> None:
    services = SimpleNamespace(store=SimpleNamespace(statistics=SimpleNamespace(months=None)))
    routes = StatisticsRoutes(services, Pages(lambda name: name))  # type: ignore[arg-type]
    answer = await routes.page(make_mocked_request("GET", "/statistics?lang=de"))
    assert (answer.status, answer.headers["Content-Language"]) == (503, "de")
    assert said()["de"].text("appeal.away") in (answer.text or "")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    """A server after the end of a month."""
    server = Server(data)
    server.stop()
    close_a_month(data)
    server.start()
    yield server
    server.stop()


async def test_a_closed_month_is_a_page_and_data_and_the_usual_hours(server: Server) -> None:
    status, body, headers = await shown(server, "/statistics?lang=de")
    assert (status, headers["Content-Language"]) == (200, "de")
    for words in (
        "<svg",
        "18:00–19:00",
        "1 Minute",
        "Deutsch",
        "andere Sprachen",
        "eine Seite ging, eine Verbindung ging verloren",
    ):
        assert words in body
    assert (await get(server, "/statistics?lang=de", **{"If-None-Match": headers["Etag"]}))[0] == 304
    [month] = json.loads((await get(server, "/api/statistics"))[1])["months"]
    assert month["month"] == MONTH
    assert month["endings"] == [{"of": ["left", "lost", "moderation", "restart"], "chats": 425}]
    rows = list(csv.DictReader(io.StringIO((await get(server, "/api/statistics.csv"))[1])))
    assert {row["table"] for row in rows} == {
        "hours weekday",
        "hours weekend",
        "lengths",
        "modes",
        "endings",
        "languages",
    }
    assert all(int(row["chats_a_day"]) >= 10 for row in rows)
    first, last = json.loads((await get(server, "/api/config"))[1])["hours"]
    assert (first, last) == (18, 22)
