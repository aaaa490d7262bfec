"""Let users arrive in a waiting room at a busy pool's rate, for `bench.server.instructions`: what its turns cost is that of the windows' pairs."""

import json
import sys

from bench.matching.waiting_room import RATE, WaitingRoom, as_served


def arrive(arrivals: int) -> int:
    """Let so many arrive, RATE a second, and take the steps that are due before each. Return how many came."""
    room, came = WaitingRoom(seed=1), 0
    with as_served():
        for who in room.people(arrivals):
            room.now += 1 / RATE
            room.steps()
            room.arrive(who)
            came += 1
    return came


if __name__ == "__main__":
    print(json.dumps({"arrivals": arrive(int(sys.argv[1]))}))
