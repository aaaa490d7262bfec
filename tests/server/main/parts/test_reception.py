"""Who lets people in is made by the settings, and takes up what changes."""

from functools import partial
from pathlib import Path

import pytest

from engine.rooms.remote_waiting_room import RemoteRoom
from server.main.parts.reception import Reception, ReceptionPorts
from server.ops.config.settings import Settings
from server.ops.process.listening_sockets import StartError
from server.ops.security import secret_keys

pytestmark = pytest.mark.blocking  # it is made before anybody is served: files are read


@pytest.fixture
def secret(tmp_path: Path) -> secret_keys.Keys:
    return secret_keys.load(tmp_path)


async def test_the_limits_of_an_address_are_the_settings_and_change_with_them(secret: secret_keys.Keys) -> None:
    reception = Reception(Settings(limits={"connections": 1}), secret)
    assert reception.addresses.enter("192.0.2.1", 0.0)
    assert not reception.addresses.enter("192.0.2.1", 0.0)
    reception.use(Settings(limits={"connections": 2}))
    assert reception.addresses.enter("192.0.2.1", 0.0)


async def test_the_proxies_that_are_trusted_are_the_settings(secret: secret_keys.Keys) -> None:
    reception = Reception(Settings(), secret)
    assert not reception.judge.trusts("192.0.2.9")
    reception.use(Settings(server={"proxies": ["192.0.2.0/24"]}))
    assert reception.judge.trusts("192.0.2.9")


async def test_people_wait_in_the_room_that_is_given_else_here(secret: secret_keys.Keys) -> None:
    ports = ReceptionPorts(make_room=partial(RemoteRoom, 1))
    there, here = Reception(Settings(), secret, ports=ports).worker, Reception(Settings(), secret).worker
    assert type(there.engine.moves._search.room) is RemoteRoom
    assert type(here.engine.moves._search.room).__name__ == "WaitingRoom"


async def test_a_file_of_help_that_cannot_be_read_is_a_reason_not_to_start(
    secret: secret_keys.Keys, tmp_path: Path
) -> None:
    file = tmp_path / "help.toml"
    file.write_text("this is no table")
    with pytest.raises(StartError):
        Reception(Settings(safety={"help_file": str(file)}), secret)


async def test_ages_that_another_process_knows_hold_as_long_as_there_and_only_what_is_newer_is_news(
    secret: secret_keys.Keys,
) -> None:
    reception = Reception(Settings(), secret)
    rows = [[7, "asked", 15, 600.0], [8, "adult", 0, 60.0]]
    assert reception.ages_said(rows) == rows
    assert reception.ages_said(rows) == []
    assert reception.ages_said([[7, "minor", 15, 500.0]]) == [], "what was said earlier"
    assert reception.ages_said([[7, "minor", 15, 700.0]]) == [[7, "minor", 15, 700.0]]
    told = [row for rows in reception.all_ages(1) for row in rows]
    assert [row[:3] for row in told] == [(8, "adult", 0), (7, "minor", 15)]
    assert [0 < row[3] <= left for row, left in zip(told, (60.0, 700.0), strict=True)] == [True, True]
    assert len(list(reception.all_ages(1))) == 2
