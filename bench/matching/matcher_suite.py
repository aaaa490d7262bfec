"""Run all benches of the matcher (speed, share of the optimum), keep their results and write the documents."""

import argparse

from bench.matching import matcher, quality
from bench.support.hash_seed import run_with_hash_seed

SEED, ROUNDS = 1, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add none: the parts have them (`python -m bench matcher`, `quality`)."""


def main(_: argparse.Namespace) -> int:
    """Run both benches whole, keep the results, and write the documents."""
    if (status := run_with_hash_seed(SEED)) is not None:
        return status
    matcher.keep(matcher.measure(list(matcher.PARTS), SEED, quick=False, rounds=ROUNDS))
    quality.keep(quality.document(quality.SIZES, SEED))
    return 0
