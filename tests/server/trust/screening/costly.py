"""Searches for the lines that cost screening most, by mutation towards CPU time.

    python -m tests.server.trust.screening.costly [--seconds N] [--seed N]
    python -m tests.server.trust.screening.costly --corpus

A line is a beginning and a piece that is repeated up to the longest line; both are mutated, and the dearest are mutated further. What is found is
printed as the corpus `costly.json` has it: a new kind of worst line belongs there once it is mended. The seed chooses the mutations. What a line
costs is measured in CPU time beside that of a reference, so that two machines agree about it.

`--corpus` prints what each known line costs in microseconds of CPU, the least of CORPUS_ROUNDS, as one of a side's first lines and as a later one:
in a process with the environment of the screening process, whose allocator clears what it frees, and in one without it.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from engine.wire.protocol import TEXT_MAX
from server.trust.programs.helper_process import FORGETFUL
from server.trust.screening.opener_clusters import Openers
from server.trust.screening.screening_rules import Rules, read_rules
from server.trust.screening.text_folding import EXPANDING

CORPUS: Final = Path(__file__).parent / "costly.json"
HEAD_MAX, PIECE_MAX = 40, 80  # characters
KEPT: Final = 24  # lines that are mutated further
ROUNDS: Final = 5  # of a measurement, of which the least counts
CORPUS_ROUNDS: Final = 15
BITS: Final = (
    *" .,:;-_/()[]@$!'’+*#%\t\n01345789",
    *"abilmosté\u0130\u0390\u1f87\u0455\u0430\u0661\u200b\u00ad\u0301\u0316\u0345\uac00\u1100\u1161\u3300\ufdfa\ufb2c\U0001d4fc\U00020000\u2167\u2026我",
    *(" i am 14", "im 14", "14f", "14 m", "8%", "9 years older", "kill", "my snap", "i will kill you in chess", "my number one", "4 ", "41 1"),
    *("00 1", "+1", "www.", "https://", ".com", " dot ", " . ", "(.)", "a.b", "x@y.zz", "i i i ", "a b c ", "1 1 1 ", "$0131l", "w!n"),
    *("link in bio", "snap", "s n a p "),
)  # fmt: skip


class Shape(NamedTuple):
    """A line: `head`, then `piece` again and again."""

    head: str
    piece: str

    @property
    def line(self) -> str:
        """As it is said: as long as a line may be."""
        return (self.head + self.piece * TEXT_MAX)[:TEXT_MAX] if self.piece else self.head


def corpus() -> list[Shape]:
    """The worst lines that are known."""
    return [Shape(*pair) for pair in json.loads(CORPUS.read_text("ascii"))]


class Scale:
    """Weighs lines: CPU time of all that screening does with one, in times that of a reference. `first`: as one of a side's first lines."""

    def __init__(self, first: bool = False) -> None:
        self._first = first
        self._rules: Rules = read_rules(None)
        self._openers = Openers(12, bytes(16))
        self._chat = 0
        self._unit = self._least(_reference, 40)

    def weigh(self, line: str, rounds: int = ROUNDS) -> float:
        """What a line costs, the least of some rounds."""
        return self.seconds(line, rounds) / self._unit

    def seconds(self, line: str, rounds: int = ROUNDS) -> float:
        """CPU seconds of a line, the least of some rounds."""
        return self._least(lambda: self._look(line), rounds)

    def _look(self, line: str) -> None:
        _, beginning = self._rules.find_and_fold(line)
        if self._first:
            self._chat += 1
            self._openers.add_line(self._chat, 0, beginning, False, 0.0)

    @staticmethod
    def _least(work: Callable[[], object], rounds: int) -> float:
        found = []
        for _ in range(rounds):
            begun = time.thread_time()
            work()
            found.append(time.thread_time() - begun)
        return min(found)


def _reference() -> int:
    """Work of the interpreter that no line changes: about a tenth of a millisecond on a machine of today."""
    count = 0
    words = {str(number): number for number in range(100)}
    for word in ("the quick brown fox 14 jumps " * 200).split():
        count += words.get(word, 1)
    return count


def mutated(shape: Shape, dice: random.Random) -> Shape:
    """One that differs in a place or two."""
    texts = [shape.head, shape.piece]
    for _ in range(dice.choice((1, 1, 2, 4))):
        which = dice.choice((0, 1, 1))
        text = texts[which]
        at, end = sorted((dice.randint(0, len(text)), dice.randint(0, len(text))))
        bit = dice.choice(BITS) if dice.random() < 0.9 else dice.choice(sorted(EXPANDING))
        text = dice.choice(
            (
                text[:at] + bit + text[at:],
                text[:at] + bit + text[end:],
                text[:at] + text[end:],
                text[:at] + text[at:end] * 2 + text[end:],
                bit * dice.randint(1, 8) + text,
            )
        )
        texts[which] = text[: (HEAD_MAX, PIECE_MAX)[which]]
    return Shape(texts[0], texts[1] or "a")


def search(scale: Scale, seconds: float, dice: random.Random) -> list[tuple[float, Shape]]:
    """The dearest lines that were found, the dearest first."""
    best = sorted(((scale.weigh(shape.line), shape) for shape in corpus()), reverse=True)
    known = {shape for _, shape in best}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        shape = mutated(dice.choice(best)[1], dice)
        if shape in known:
            continue
        known.add(shape)
        weight = scale.weigh(shape.line)
        if len(best) < KEPT or weight > best[-1][0]:
            best = sorted([*best, (scale.weigh(shape.line, 2 * ROUNDS), shape)], reverse=True)[:KEPT]
    return best


def costs() -> list[tuple[float, float]]:
    """CPU microseconds of each line of the corpus: as a later line, and as one of a side's first lines."""
    later, first = Scale(), Scale(first=True)
    return [
        (1e6 * later.seconds(shape.line, CORPUS_ROUNDS), 1e6 * first.seconds(shape.line, CORPUS_ROUNDS))
        for shape in corpus()
    ]


def print_corpus() -> None:
    """Print what each line of the corpus costs, under the allocator of the screening process and under the usual one."""
    program = f"import json; from {__spec__.name} import costs; print(json.dumps(costs()))"
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", program], env=os.environ | extra, capture_output=True, check=True
            ).stdout
        )
        for extra in (FORGETFUL, {})
    ]
    print("microseconds of CPU: screening process (later, first line), usual allocator (later, first line)")
    for clearing, usual, shape in zip(*found, corpus(), strict=True):
        print("".join(f"{cost:7.0f}" for cost in (*clearing, *usual)), json.dumps(shape)[:60])
    print(
        "".join(f"{max(column):7.0f}" for column in zip(*([*a, *b] for a, b in zip(*found, strict=True)), strict=True)),
        "the most",
    )


def main() -> None:
    """Prints what was found, each with its weight."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", action="store_true", help="print what the known lines cost")
    chosen = parser.parse_args()
    if chosen.corpus:
        print_corpus()
        return
    for weight, shape in search(Scale(), chosen.seconds, random.Random(chosen.seed)):
        print(f"{weight:6.2f} {json.dumps(shape)}")


if __name__ == "__main__":
    main()
