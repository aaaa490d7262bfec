"""Messages under way: what is acknowledged is closed, what is not is put back."""

import asyncio
import os

from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.transfer import Stage, Transfer


def sent(flight: InFlight, number: int, people: int, transfer: Transfer) -> Transfer:
    """A message of so many sessions."""
    transfer.people = people
    flight.add(number, transfer)
    return transfer


def test_what_was_acknowledged_is_closed_and_the_rest_is_put_back_in_order() -> None:
    flight, back = InFlight(), []
    ends = [os.pipe() for _ in range(3)]
    made = [
        sent(flight, number, number, Transfer(lambda number=number: back.append(number), [reader]))  # type: ignore[misc]
        for number, (reader, _) in enumerate(ends, 1)
    ]
    assert (len(flight), flight.people) == (3, 6)
    assert flight.took(2) == 2
    assert flight.took(2) == flight.refused(2) == 0
    assert flight.dead() == 4
    assert back == [1, 3]
    assert [one.stage for one in made] == [Stage.BACK, Stage.TAKEN, Stage.BACK]
    assert (len(flight), flight.people) == (0, 0)
    os.close(ends[1][1])
    for place in (0, 2):  # who puts them back owns them
        for end in ends[place]:
            os.close(end)


async def test_a_drain_that_waits_for_room_goes_on_when_a_message_is_answered() -> None:
    flight = InFlight()
    sent(flight, 1, 2, Transfer(lambda: None))
    sent(flight, 2, 0, Transfer(lambda: None))
    fewer, landed = asyncio.create_task(flight.fewer(1)), asyncio.create_task(flight.landed())
    await asyncio.sleep(0)
    assert not fewer.done()
    flight.took(1)
    await asyncio.wait_for(fewer, 5)
    assert not landed.done()
    flight.refused(2)
    await asyncio.wait_for(landed, 5)
