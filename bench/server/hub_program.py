"""Let the hub match tickets of two workers, for callgrind to count: `hub_program.py CHATS room|rings`.

Each chat is two tickets, a match and its end, as records. Half of the chats are of two workers, so that one of the two moves. `rings`: the records
pass through rings of shared memory, as between the processes of a host; `room`: the waiting room alone.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any, Final

from engine.matching.thresholds import Thresholds
from engine.matching.tickets import Pool, Ticket
from engine.rooms import hub_messages as rows
from engine.rooms.hub import Hub
from engine.rooms.hub_messages import Row, ticket_row
from engine.rooms.hub_records import pack
from server.fleet.cluster.shared_room import SharedRoom
from server.fleet.ipc.hub_channels import HubChannels
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.row_channel import RowChannel

TOGETHER: Final = 4  # chats whose records a worker sends at once
PAIRS: Final = 200  # users of each half; each meets one of the other half after another
WORKERS: Final = 2
TURN: Final = 0.0005  # seconds between two messages


def turns(chats: int) -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield what each of the two workers sends in a turn: ends of the matches of the turn before, and tickets."""
    numbers, done = count(1), list[Row]()
    for begun in range(0, chats, TOGETHER):
        sent: tuple[list[Row], list[Row]] = (done, [])
        done = []
        for chat in range(begun, min(begun + TOGETHER, chats)):
            first, second = 2 * (chat % PAIRS) + 2, 2 * ((chat + chat // PAIRS) % PAIRS) + 3
            for client, worker in ((first, 0), (second, chat % 2)):
                ticket = Ticket(client, Pool(), (), False, client)
                sent[worker].append(ticket_row(ticket, next(numbers), ["load"], rows.NEW, 0.0))
            done.append([rows.DONE, chat + 1, [first, first], [second, second]])
        yield sent


def new_hub() -> Hub:
    """Return a hub as a hub process makes it."""
    draws = count(1)
    return Hub.build(Thresholds(), lambda: next(draws))


def in_the_room(chats: int) -> dict[str, int]:
    """Return how many matches the hub made of the workers' records, and how many bytes it would send."""
    hub = new_hub()
    for worker in range(1, WORKERS + 1):
        hub.joined(worker, PAIRS)
    now, size = time.monotonic(), 0
    for turn in [(pack(one), pack(two)) for one, two in turns(chats)]:
        now += TURN
        for worker, data in enumerate(turn, 1):
            hub.read(worker, data, now)
        for out in hub.out.values():
            size += sum(map(len, out.take()))
    return {"chats": hub.tally["made"], "bytes": size}


class Rings:
    """A hub whose rows pass through the rings of a host, and the two workers' ends of them."""

    def __init__(self) -> None:
        self.room = SharedRoom("", new_hub(), Thresholds(), 1, self._tell, self._tell_records)
        self._channels = HubChannels(self.room.records, self._flush, self._fail, self._fail)
        self._ends = [RowChannel(self._unsent) for _ in range(WORKERS)]
        for number, end in enumerate(self._ends, 1):
            offers: list[Message] = []
            self._channels.add(f"worker {number}", number, partial(self._offer, offers))
            os.close(end.accept(offers.pop()))
            self._channels.by_name[f"worker {number}"].confirm()
            end.confirm()
            self.room.joined(number, fixed=False, leaving=False)

    def turn(self, sent: tuple[list[Row], list[Row]]) -> int:
        """Let the workers send, and the hub answer. Return how many bytes the workers read."""
        for end, rows_sent in zip(self._ends, sent, strict=True):
            end.send(rows_sent)
        self._channels.rounds()
        size = 0
        for end in self._ends:
            size += sum(map(len, end.take()))
            end.sleep()
        return size

    def _tell(self, number: int, told: list[Row]) -> None:
        self._channels.send(f"worker {number}", told)

    def _tell_records(self, number: int, messages: list[bytes]) -> None:
        self._channels.send_records(f"worker {number}", messages)

    def _flush(self) -> None:
        self.room.flush(time.monotonic())
        self.room.hub.due()

    @staticmethod
    def _offer(offers: list[Message], kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
        if descriptors:
            offers.append(Message(kind, 0, list(records), [], [os.dup(one) for one in descriptors]))

    @staticmethod
    def _unsent(*_: object, **__: object) -> None:
        """Send nothing over a link: the rings are there."""

    @staticmethod
    def _fail(name: str, fault: Exception) -> None:
        raise RuntimeError(f"the rows of {name} were not read") from fault


def over_rings(chats: int) -> dict[str, int]:
    """Return how many matches the hub made of the rows in its rings, and how many bytes of answers the workers read."""
    rings = Rings()
    size = sum([rings.turn(sent) for sent in [*turns(chats)]])
    return {"chats": rings.room.hub.tally["made"], "bytes": size}


if __name__ == "__main__":
    print(json.dumps({"room": in_the_room, "rings": over_rings}[sys.argv[2]](int(sys.argv[1]))))
