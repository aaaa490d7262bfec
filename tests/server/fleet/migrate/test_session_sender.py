"""A process as a target: what is sent is in flight, and what cannot be sent is not."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from server.fleet.ipc.ipc_link import Kind, LinkDown
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.session_sender import AHEAD, ProcessTarget
from server.fleet.migrate.transfer import Transfer
from tests.server.fleet.ipc.test_ipc_link import End, pair


@pytest.fixture
async def end() -> AsyncIterator[End]:
    one, two = map(End, pair())
    yield one
    for made in (one, two):
        made.link.close()
        for message in made.came:
            for descriptor in message.descriptors:
                os.close(descriptor)


def target(end: End) -> ProcessTarget:
    """A target behind a link."""
    return ProcessTarget(end.link.send, end.link.room, InFlight())


async def test_what_is_sent_is_in_flight_with_its_sessions_until_it_is_acknowledged(end: End) -> None:
    made = target(end)
    for number in range(1, AHEAD + 1):
        reader, writer = os.pipe()
        os.close(reader)
        transfer = Transfer(lambda: None, [writer])
        transfer.people = 2
        made.post(transfer, Kind.PEOPLE, {"v": 1}, pieces=[b"x"])
        assert (len(made.flight), made.flight.people) == (number, 2 * number)
    waiting = asyncio.create_task(made.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert made.flight.took(1) == 2
    await asyncio.wait_for(waiting, 20)
    made.flight.took(2)


async def test_what_cannot_be_sent_is_put_back_and_not_in_flight(end: End) -> None:
    made, back = target(end), []
    end.link.close()
    with pytest.raises(LinkDown):
        made.post(Transfer(lambda: back.append(1)), Kind.PEOPLE, pieces=[])
    assert (len(made.flight), back) == (0, [1])
