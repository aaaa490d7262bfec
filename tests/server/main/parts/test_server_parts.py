"""The parts of a process fit each other, and end."""

from pathlib import Path

import pytest

from server.main.parts.server_parts import Server
from server.ops.config.settings import Settings
from server.ops.process.listening_sockets import Sockets
from server.ops.security import secret_keys


@pytest.mark.blocking  # keys and the page's files are read before anybody is served
async def test_parts_are_made_named_for_a_successor_and_ended(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, store={"enabled": False}, metrics={"enabled": False}, omegle={"enabled": True})
    secret = secret_keys.load(tmp_path)
    server = Server(settings, secret, Sockets())
    await server.show_metrics()
    await server.open_store(secret)
    await server.build()
    has = server.belongings
    assert has.worker is server.worker
    assert has.adapter is not None
    assert has.recorder is None
    await server.pause()
    await server.listen()
    await server.close()
