"""Test that pictures are requested only while the process is up and moderators read cases, and less often when many wait."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.trust.pictures import picture_check_service, picture_client, requested_pictures
from server.trust.pictures.picture_check_service import CROWDED, OFF, Pictures
from server.trust.pictures.picture_nonces import Nonces
from tests.server.trust.pictures.running import harmless, own

pytestmark = pytest.mark.timeout(120)


class Running:
    """One, with its program."""

    def __init__(self, folder: Path) -> None:
        self.read = False
        self.told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.means: asyncio.Queue[float] = asyncio.Queue()
        settings = Settings.model_validate({"data": folder, "pictures": {"mean": 40}})
        self.pictures = Pictures(
            "server",
            settings,
            lambda: self.read,
            lambda *what: self.told.put_nowait(what),
            lambda mean, _: self.means.put_nowait(mean),
        )
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


async def test_while_nothing_is_under_way_what_changes_is_told_and_not_looked_for(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await running.means.get() == OFF
    monkeypatch.setattr(picture_check_service, "SELDOM", 3600.0)
    running.pictures.look_now()  # from here on the next look is an hour away
    running.read = True
    running.pictures.look_now()
    assert await asyncio.wait_for(running.means.get(), 60) == 40, (
        "somebody reads cases, and the program says that it is there"
    )
    running.read = False
    running.pictures.look_now()
    assert await asyncio.wait_for(running.means.get(), 10) == OFF
    running.read = True
    running.pictures.look_now()
    assert await asyncio.wait_for(running.means.get(), 10) == 40
    os.kill(running.pictures._judging.pid, signal.SIGKILL)
    assert await asyncio.wait_for(running.means.get(), 10) == OFF, "the program is gone"


async def test_a_program_that_takes_too_long_for_a_job_is_seen_though_nothing_happens(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_client, "FRESH", 0.2)
    running.read = True
    while await asyncio.wait_for(running.means.get(), 60) == OFF:
        pass
    monkeypatch.setattr(picture_check_service, "SELDOM", 3600.0)
    running.pictures.look_now()
    os.kill(running.pictures._judging.pid, signal.SIGSTOP)
    job = asyncio.create_task(running.pictures._judging.judge(harmless()))
    assert await asyncio.wait_for(running.means.get(), 10) == OFF
    os.kill(running.pictures._judging.pid, signal.SIGCONT)
    assert await job is not None
    assert await asyncio.wait_for(running.means.get(), 10) == 40


async def test_what_is_over_is_forgotten_though_nothing_happens(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await running.means.get() == OFF
    monkeypatch.setattr(requested_pictures, "WITHIN", 0.0)
    monkeypatch.setattr(requested_pictures, "KEPT", 0.0)
    running.pictures.looks.asked("c0ffee", (0, 1), ("a", "b"))
    assert running.pictures.looks.anything
    while running.pictures.looks.anything:  # noqa: ASYNC110 - forgetting has no event
        await asyncio.sleep(0.01)
