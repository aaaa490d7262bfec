"""What changed is taken up once it is asked for; what is wrong changes nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from server.main.parts.settings_reload import SettingsReload
from server.ops.config.setting_sources import SettingsError
from server.ops.config.settings import Settings


class Read:
    """The settings as they stand in a file."""

    def __init__(self) -> None:
        self.used: asyncio.Queue[Settings] = asyncio.Queue()
        self.asked = asyncio.Event()
        self.found: Settings | SettingsError = Settings()

    def again(self) -> Settings:
        if isinstance(self.found, SettingsError):
            raise self.found
        return self.found


@pytest.fixture
async def read() -> AsyncIterator[Read]:
    made = Read()
    present = Settings.model_validate({"safety": {"unattended": True}})
    task = asyncio.create_task(SettingsReload(present, made.used.put_nowait).run(made.asked, made.again))
    yield made
    task.cancel()


async def test_what_can_change_is_taken_up_and_what_cannot_is_named(read: Read) -> None:
    read.found = Settings.model_validate(
        {"server": {"hosts": ["new.example"], "drain": 3}, "safety": {"unattended": True}}
    )
    with capture_logs() as logged:
        read.asked.set()
        used = await asyncio.wait_for(read.used.get(), 10)
    assert tuple(used.server.hosts) == ("new.example",)
    assert used.server.drain == Settings().server.drain
    assert [(line["event"], line["setting"]) for line in logged] == [
        ("config.changed", "server.hosts"),
        ("config.restart", "server.drain"),
    ]


async def test_what_is_wrong_changes_nothing_and_the_next_change_is_taken_up(read: Read) -> None:
    read.found = SettingsError(["store.queue: hunter2 is no number"])
    with capture_logs() as logged:
        read.asked.set()
        async with asyncio.timeout(10):
            while not logged:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.01)
    assert [(line["event"], line["setting"]) for line in logged] == [("config.refused", "store.queue")]
    assert read.used.empty()
    read.found = Settings.model_validate({"log": {"level": "warning"}})
    read.asked.set()
    assert (await asyncio.wait_for(read.used.get(), 10)).log.level == "warning"


async def test_a_host_becomes_public_by_a_start_alone_and_takes_up_further_names() -> None:
    read = Read()
    public = Settings.model_validate({"server": {"hosts": ["localhost", "chat.example"]}, "log": {"level": "warning"}})
    for present, taken in ((Settings(), ("localhost", "127.0.0.1", "[::1]")), (public, ("new.example",))):
        hosts = ["new.example"] if present is public else ["chat.example"]
        read.found = Settings.model_validate({"server": {"hosts": hosts}, "log": {"level": "error"}})
        task = asyncio.create_task(SettingsReload(present, read.used.put_nowait).run(read.asked, read.again))
        with capture_logs() as logged:
            read.asked.set()
            used = await asyncio.wait_for(read.used.get(), 10)
        task.cancel()
        assert (tuple(used.server.hosts), used.log.level) == (taken, "error")
        restart = [line["setting"] for line in logged if line["event"] == "config.restart"]
        assert restart == ([] if present is public else ["server.hosts"])


async def test_a_quiet_one_tells_nothing() -> None:
    read = Read()
    read.found = Settings.model_validate({"log": {"level": "warning"}})
    task = asyncio.create_task(SettingsReload(Settings(), read.used.put_nowait, quiet=True).run(read.asked, read.again))
    with capture_logs() as logged:
        read.asked.set()
        await asyncio.wait_for(read.used.get(), 10)
    task.cancel()
    assert logged == []
