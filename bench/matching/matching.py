"""Everything about the matcher: its speed, its share of the optimum, and the documents. Rule: what is measured is kept."""

import argparse

from bench.matching import documents, matcher, quality
from bench.support.results import ROOT, write

SEED, ROUNDS = 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: the parts have them (`python -m bench matcher`, `quality`)."""


def main(_: argparse.Namespace) -> int:
    """Runs both benches whole, keeps what they found, and writes the documents."""
    matcher.keep(matcher.measure(list(matcher.PARTS), SEED, quick=False, rounds=ROUNDS))
    frontier = quality.document(quality.SIZES, SEED, plot=str(ROOT / "docs" / "frontier.svg"))
    write(frontier, "quality", ordered=False)
    documents.write()
    return 0
