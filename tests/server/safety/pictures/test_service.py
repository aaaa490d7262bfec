"""Pictures are looked at while a program can and somebody reads cases; people are asked less often where too many wait."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.config.settings import Settings
from server.health.tasks import Tasks
from server.safety.pictures.nonces import Nonces
from server.safety.pictures.service import CROWDED, OFF, Pictures
from tests.server.safety.pictures.running import harmless, own

pytestmark = pytest.mark.timeout(120)


class Running:
    """One, with its program."""

    def __init__(self, folder: Path) -> None:
        self.read = False
        self.told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.means: asyncio.Queue[float] = asyncio.Queue()
        settings = Settings.model_validate({"data": folder, "pictures": {"mean": 40}})
        self.pictures = Pictures("server", settings, lambda: self.read, lambda *what: self.told.put_nowait(what))
        self.pictures.changed = self.means.put_nowait
        self.tasks = Tasks()
        self.pictures.start(self.tasks)

    async def hear(self, count: int) -> set[tuple[str, str]]:
        return {await asyncio.wait_for(self.told.get(), 30) for _ in range(count)}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    made = Running(tmp_path)
    yield made
    await made.pictures.close(made.tasks)


async def test_nobody_is_looked_at_before_somebody_reads_cases_and_a_program_is_there(running: Running) -> None:
    assert await running.means.get() == OFF
    running.read = True
    assert await asyncio.wait_for(running.means.get(), 60) == 40
    assert running.pictures.on
    nonces = Nonces(running.pictures.looks.asked)
    nonces.on = True
    one, two = nonces.ask("c0ffee", (0, 1))
    for nonce, kind, body in ((one, "theirs", harmless()), (two, "mine", own())):
        running.pictures.looks.begin(nonce, kind)
        running.pictures.looks.take(nonce, kind, body)
    assert await running.hear(4) == {(one, "theirs"), (two, "mine"), (one, "clean"), (one, "agrees")}
    assert await running.pictures.glance(own(), 1) == "clean"
    running.pictures._chosen = running.pictures._chosen.model_copy(update={"mode": "reports"})
    assert await running.pictures.glance(own(), 1) == "", "reports alone bring looks"
    running.read = False
    assert await asyncio.wait_for(running.means.get(), 10) == OFF


async def test_where_too_many_wait_people_are_asked_half_as_often(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.read = True
    while await asyncio.wait_for(running.means.get(), 60) == OFF:
        pass
    waiting = CROWDED + 1
    monkeypatch.setattr(type(running.pictures._judging), "waiting", property(lambda _: waiting))
    assert await asyncio.wait_for(running.means.get(), 10) == 80
    waiting = CROWDED
    assert await asyncio.wait_for(running.means.get(), 10) == 40
