"""Write lines into a tap and read them as the screening process does, for callgrind to count: `sieve_program.py LINES usual|load|first`.

`usual`, `load`: later lines, which the sieve settles; `first`: usual lines, each the first of its writer, which the rules read too.
"""

import json
import sys
from typing import Final

from bench.server.relay_program import TEXT
from ext.net.tap import Tap, Tapped, make
from ext.text.line_sieve import LineSieve
from server.trust.screening.opener_clusters import KEPT, LETTERS, Openers
from server.trust.screening.screening_process import said
from server.trust.screening.screening_rules import WIDE_SIGNS, read_rules
from server.trust.screening.text_folding import PIECE, fold_table
from server.trust.screening.text_model import read_use

LINES: Final = (
    b"hi", b"how are you", b"where are you from", b"haha yes, it rains here as well", b"what kind of music do you like?",
    "räksmörgås, naturellement".encode(), b"i have to go in five minutes, my food is ready", b"the quick brown fox jumps over the lazy dog",
)  # fmt: skip
LOAD: Final = (TEXT[len(b'{"type":"message","text":"') : -2].lstrip(b"0123456789 "),)  # without the generator's numbers
WRITERS: Final = 50
UNBOUND: Final = 1 << 60  # nanoseconds: callgrind slows the clock's work, and no line is left half read for it


def main(count: int, lines: tuple[bytes, ...], modelled: bool, first: bool) -> dict[str, int]:
    """Return how many lines were read, and settled. `first`: each is the first of its writer, and the rules read it too."""
    memory = make(1 << 22)
    tap = Tap(memory)
    openers = Openers(12, bytes(16))
    sieve = LineSieve(Tapped(memory), openers.writers, openers.table, fold_table(WIDE_SIGNS), PIECE, LETTERS)
    rules = read_rules(None)
    rules.line_max_ns = rules.patterns_max_ns = UNBOUND
    rules.settle(sieve, read_use("tips").classifier if modelled else None)
    for number in range(0 if first else 4 * WRITERS):  # the first lines of each were written before
        openers.writers.add(1 + number % WRITERS, 0)
    for number in range(count):
        chat, seq = (1 + number, 1) if first else (1 + number % WRITERS, 4 + number // WRITERS)
        tap.put(chat, 0, seq, 0.0, lines[number % len(lines)])
    returned = sieve.take(count, count, 1 << 40, 0.0, -KEPT)
    for line in returned if first else ():
        rules.find_and_fold(said(line[4]))
    return {"read": sieve.taken, "settled": sieve.settled, "returned": len(returned)}


if __name__ == "__main__":
    chosen = LOAD if sys.argv[2] == "load" else LINES
    print(json.dumps(main(int(sys.argv[1]), chosen, "modelled" in sys.argv, sys.argv[2] == "first")))
