"""The parts of a process fit each other, and end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.main.parts import server_parts
from server.main.parts.other_process_interface import OtherProcesses
from server.main.parts.server_parts import Server
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import NAMES
from server.ops.process.listening_sockets import Sockets, StartError
from server.ops.security import secret_keys
from tests.support import services
from tests.support.descriptors import more_than, opened


@pytest.mark.blocking  # keys and the page's files are read before anybody is served
async def test_parts_are_made_named_for_a_successor_and_ended(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, store={"enabled": False}, metrics={"enabled": False}, omegle={"enabled": True})
    secret = secret_keys.load(tmp_path)
    server = Server(settings, secret, Sockets())
    await server.start(secret)
    has = server.belongings
    assert has.worker is server.worker
    assert has.adapter is not None
    assert has.recorder is None
    await server.pause()
    await server.listen()
    await server.close()
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() in NAMES] == []


@pytest.mark.blocking  # as above
async def test_a_start_that_fails_halfway_says_why_and_leaves_nothing_open(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, store={"migrate": False}, metrics={"port": services.free_port()})
    secret = secret_keys.load(tmp_path)

    async def fail() -> None:
        with pytest.raises(StartError, match="serendip db migrate"):
            await Server(settings, secret, Sockets()).start(secret)

    await fail()  # what is loaded once for a process stays
    before = opened()
    await fail()
    assert not more_than(before)


class AtHand:
    """A store whose database answers."""

    def unwell(self) -> list[str]:
        """Return nothing."""
        return []


@pytest.mark.blocking  # as above
async def test_workers_that_a_frontend_before_told_of_a_database_away_hear_that_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_parts, "STORE_EVERY", 0.0)
    told: asyncio.Queue[Any] = asyncio.Queue()
    settings = Settings(data=tmp_path, store={"enabled": False}, metrics={"enabled": False})
    server = Server(settings, secret_keys.load(tmp_path), Sockets(), others=OtherProcesses(tell_live=told.put_nowait))
    telling = asyncio.create_task(server._tell_store(AtHand()))  # type: ignore[arg-type]
    assert await asyncio.wait_for(told.get(), 20) == {"do": "store", "away": False}
    telling.cancel()
    await server.close()
