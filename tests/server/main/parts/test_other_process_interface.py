"""A server tells the other processes of its host what it finds of users whom they may have."""

from pathlib import Path

import pytest

from server.main.parts.other_process_interface import OtherProcesses
from server.main.parts.server_parts import Server
from server.ops.config.settings import Settings
from server.ops.process.listening_sockets import Sockets
from server.ops.security import secret_keys

pytestmark = pytest.mark.blocking  # it is made before anybody is served: files are read


async def test_an_age_and_a_pause_of_video_are_told_to_the_other_processes(tmp_path: Path) -> None:
    told: list[tuple[object, ...]] = []
    others = OtherProcesses(on_age=lambda *age: told.append(age), on_pause=lambda *pause: told.append(pause))
    settings = Settings(data=tmp_path, store={"enabled": False}, metrics={"enabled": False})
    server = Server(settings, secret_keys.load(tmp_path), Sockets(), others=others)
    outside = server.worker.engine._core.outside
    outside.publish_age(7, "minor", 15)
    outside.publish_pause(7, 600.0)
    assert told == [(7, "minor", 15), (7, 600.0)]
