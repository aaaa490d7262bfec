"""Time the parts of matching: a batch of arrivals, a ticket in and out. **Invariant:** the input is fixed, the result asserted.

`python -m bench matcher` measures the matcher under every load that its goals name.
"""

import itertools
from typing import Any

from bench.matching.arrival_batches import Run
from bench.matching.workloads import Stream
from engine.matching.lobby import Lobby
from engine.matching.tickets import Pool, Ticket
from ext.match.matcher import Matcher


def test_a_thousand_newcomers_search_among_10_000_who_wait(benchmark: Any) -> None:
    stream = Stream(3)
    run = Run(Matcher(20_000, lists=3_000_000), stream)
    run.load(10_000)
    newcomers = stream.take(50_000)
    places = itertools.cycle(range(0, 50_000, 1_000))

    def arrive() -> int:
        at = next(places)
        run.batch(newcomers.part(at, at + 1_000), hold=True, exact=True)
        run.hold(10_000)
        return len(run.matcher)

    assert benchmark(arrive) == 10_000


def test_a_ticket_with_words_goes_in_and_out_of_the_lobby(benchmark: Any) -> None:
    lobby, numbers = Lobby(), itertools.count(1)

    def pass_by() -> bool:
        client = next(numbers)
        ids = lobby.intern(["chess", f"word {client}", "Tea"])
        lobby.submit(Ticket(client, Pool(), ids, True, client), float(client))
        gone = lobby.cancel(client, float(client))
        lobby.release(ids)
        return gone

    assert benchmark(pass_by)
    assert lobby.sizes().get(Pool(), 0) == 0
