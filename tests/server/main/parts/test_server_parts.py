"""The parts of a process fit each other, and end."""

from pathlib import Path

import pytest

from server.main.parts.server_parts import Server
from server.ops.config.settings import Settings
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
