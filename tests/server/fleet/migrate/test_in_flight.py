"""What is under way is closed when it was taken, and put back when it was not."""

import asyncio
import os

from server.fleet.migrate.in_flight import Flight


def test_what_was_taken_is_closed_and_what_was_not_comes_back_in_order() -> None:
    flight, back = Flight(), []
    ends = [os.pipe() for _ in range(3)]
    for number, (reader, _) in enumerate(ends, 1):
        flight.add(number, [reader], lambda number=number: back.append(number), people=number)  # type: ignore[misc]
    assert (len(flight), flight.people) == (3, 6)
    assert flight.took(2) == 2
    assert flight.took(2) == 0
    assert flight.all_back() == 4
    assert back == [1, 3]
    assert (len(flight), flight.people) == (0, 0)
    os.close(ends[1][1])
    for place in (0, 2):  # who puts them back owns them
        for end in ends[place]:
            os.close(end)


async def test_who_waits_for_room_goes_on_when_something_landed() -> None:
    flight = Flight()
    flight.add(1, (), lambda: None, people=2)
    flight.add(2, (), lambda: None)
    fewer, landed = asyncio.create_task(flight.fewer(1)), asyncio.create_task(flight.landed())
    await asyncio.sleep(0)
    assert not fewer.done()
    flight.took(1)
    await asyncio.wait_for(fewer, 5)
    assert not landed.done()
    flight.back(2)
    await asyncio.wait_for(landed, 5)
