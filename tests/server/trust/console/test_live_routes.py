"""Test the page Live over HTTP: who may see it, and that a list and an order name a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.ops.health.service_state import ServiceState
from server.trust.moderators.live_operations import Answered, LiveOperations, Unaudited
from tests.server.trust.console.conftest import Console

HERE = "00000000000000aa"
ROW = {
    "session": HERE, "state": "chatting", "seconds": 75.0, "video": True, "away": False, "program": False, "country": "NO", "paused": 0,
}  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The audit log's own tests run on both kinds of database."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


class Service:
    """A service of one process with one session in a video chat."""

    def __init__(self) -> None:
        self.done: list[Mapping[str, Any]] = []
        self.lines: list[tuple[str, str, str]] = []
        self.state = ServiceState()
        self.coming: dict[str, int] = {}  # while an upgrade runs
        self.live = LiveOperations(self.ask, self.state, lambda: self)

    async def ask(self, request: Mapping[str, Any]) -> list[Answered]:
        """Answer as its process would."""
        self.done.append(request)
        if request["do"] == "service":
            self.state.take(request["rows"])
        mine = request.get("session") == HERE
        body = {
            "count": {"sessions": 1234, "video": 2, "away": 0, "states": {"chatting": 2}, **self.coming},
            "list": {"total": 1, "rows": [ROW]},
            "find": {"identity": 7, "address": "192.0.2.1", "state": "chatting"} if mine else {},
        }.get(request["do"], {"done": mine})
        return [Answered("", "worker 1", body, ""), Answered("", "worker 2", None, "it does not answer")]

    @asynccontextmanager
    async def act(
        self, operator: str, action: str, why: str, identity: int = 0, address: str = ""
    ) -> AsyncIterator[Unaudited]:
        """Keep the line."""
        self.lines.append((operator, action, why))
        yield Unaudited()


@pytest.fixture
def service() -> Service:
    """Return a service."""
    return Service()


@pytest.fixture
def live(service: Service) -> LiveOperations:
    """Return its orders, for the console."""
    return service.live


async def test_a_moderator_finds_no_such_page_and_an_administrator_sees_counts(console: Console) -> None:
    ada, eve = await console.person("ada", "admin"), await console.person("eve", "moderator", "lead")
    assert (await eve.get("/live")).status == 404
    page = (await ada.get("/live")).text
    assert "1,234" in page
    assert "it does not answer" in page
    assert HERE not in page, "no session is shown without a reason"
    assert "An upgrade runs." not in page


async def test_sessions_that_an_upgrade_has_yet_to_move_are_counted(console: Console, service: Service) -> None:
    service.coming = {"coming": 1_500}
    page = (await (await console.person("ada", "admin")).get("/live")).text
    assert "Sessions that are still in the old processes: 1,500." in page


async def test_a_list_and_its_orders_name_a_reason_and_stand_in_the_audit_log(
    console: Console, service: Service
) -> None:
    ada = await console.person("ada", "admin")
    refused = await ada.post("/live/list", state="", country="", address="", why=" ")
    assert (refused.status, "Say why" in refused.text) == (409, True)
    assert service.lines == []
    page = await ada.post("/live/list", state="chatting", country="no", address="", why="a call")
    assert (page.status, HERE in page.text, "1 minute" in page.text) == (200, True, True)
    done = await ada.post("/live/end", session=HERE, state="chatting", country="no", address="", why="a call")
    assert done.status == 200
    gone = await ada.post("/live/pause", session="0" * 16, state="", country="", address="", why="a call")
    assert (gone.status, "no such session" in gone.text) == (409, True)
    assert ("ada", "sessions end", "a call") in service.lines
    assert {"do": "list", "state": "chatting", "country": "NO", "address": ""} in service.done


async def test_a_text_and_maintenance_are_begun_shown_and_ended(console: Console, service: Service) -> None:
    ada = await console.person("ada", "admin")
    sent = await ada.ask(
        "POST", "/live/announce", [("token", ada.token), ("text-en", "Hello"), ("text-de", "Hallo"), ("minutes", "5")]
    )
    assert (sent.status, sent.to) == (303, "/live")
    assert (await ada.post("/live/maintenance", on="1", minutes="30")).status == 303
    page = (await ada.get("/live")).text
    assert 'value="Hallo"' in page
    assert "Maintenance: no new chat begins." in page
    assert (await ada.post("/live/maintenance", minutes="many")).status == 409
    assert (await ada.post("/live/maintenance")).status == 303
    assert (await ada.post("/live/announce", minutes="")).status == 303
    assert service.state.told == {}
