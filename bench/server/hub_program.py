"""Let the hub match tickets of two workers, for callgrind to count: `hub_program.py CHATS`.

Each chat is two tickets, a match and its end, as records. Half of the chats are of two workers, so that one of the two moves.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import count
from typing import Final

from engine.matching.lobby import Lobby
from engine.matching.recent_partners import RecentPartners
from engine.matching.thresholds import Thresholds
from engine.matching.tickets import Pool, Ticket
from engine.rooms import hub_messages as rows
from engine.rooms.hub import Hub
from engine.rooms.hub_messages import Row, ticket_row
from engine.rooms.hub_records import pack
from engine.rooms.local_waiting_room import WaitingRoom

TOGETHER: Final = 4  # chats whose records a worker sends at once
PAIRS: Final = 200  # users of each half; each meets one of the other half after another
TURN: Final = 0.0005  # seconds between two messages


def messages(chats: int) -> Iterator[tuple[bytes, bytes]]:
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
        yield pack(sent[0]), pack(sent[1])


def main(chats: int) -> dict[str, int]:
    """Return how many matches the hub made, and how many bytes it sent."""
    lobby, draws = Lobby(Thresholds()), count(1)
    hub = Hub(WaitingRoom(lobby), lobby, RecentPartners(lambda: next(draws)))
    for worker in (1, 2):
        hub.joined(worker, PAIRS)
    now, size = time.monotonic(), 0
    for turn in [*messages(chats)]:
        now += TURN
        for worker, data in enumerate(turn, 1):
            hub.read(worker, data, now)
        for told in hub.out.values():
            size += len(pack(told))
            told.clear()
    return {"chats": hub.tally["made"], "bytes": size}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
