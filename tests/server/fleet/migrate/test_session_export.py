"""The way to one process: what is sent is in flight, and what cannot be sent is not."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from server.fleet.ipc.ipc_link import Kind, LinkDown
from server.fleet.migrate.in_flight import Flight
from server.fleet.migrate.session_export import AHEAD, Straight
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


async def test_what_is_sent_is_in_flight_with_its_people_until_it_was_taken(end: End) -> None:
    flight = Flight()
    way = Straight(end.link, flight)
    for number in range(1, AHEAD + 1):
        reader, writer = os.pipe()
        os.close(reader)
        way.send(Kind.PEOPLE, {"v": 1}, pieces=[b"x"], descriptors=[writer], back=lambda: None, people=2)
        assert (len(flight), flight.people) == (number, 2 * number)
    waiting = asyncio.create_task(way.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert flight.took(1) == 2
    await asyncio.wait_for(waiting, 20)
    flight.took(2)


async def test_what_cannot_be_sent_is_not_in_flight(end: End) -> None:
    flight = Flight()
    end.link.close()
    with pytest.raises(LinkDown):
        Straight(end.link, flight).send(Kind.PEOPLE, pieces=[], descriptors=[], back=lambda: None)
    assert len(flight) == 0
