"""People of two hosts meet in one room, through a real NATS, and the bench says how soon."""

from __future__ import annotations

import asyncio

import pytest

from bench.__main__ import main
from bench.server import room
from tests.support import services


def test_all_meet_wherever_they_are_and_each_hub_has_its_cost(nats: services.Nats) -> None:
    found = asyncio.run(room.measured(nats.url, 5, 200, 0.5))
    assert set(found["ms"]) == {room.NEAR, room.FAR, room.BOTH, room.BOTH + ", the last at the owner's"}
    for ms in found["ms"].values():
        assert 0 < ms["0.5"] <= ms["0.9"] <= ms["0.99"]
    assert all(us > 0 for us in found["us"].values())


def test_the_tables_are_said(nats: services.Nats, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["room", "--nats", nats.url, "--count", "3", "--rate", "200", "--seconds", "0.2"]) == 0
    said = capsys.readouterr().out
    assert room.FAR in said
    assert "µs a ticket" in said
