"""Serendip and the floor alone, in two minutes. Rule: it writes quick.json, which git does not keep, and no document."""

import argparse
from collections.abc import Sequence
from typing import Any

from bench.server import servers
from bench.server.whole import measure
from bench.support.results import write

ROUNDS, SECONDS = 3, 1.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: what is compared has to be measured alike."""


def main(_: argparse.Namespace) -> int:
    """Measures and keeps it."""
    run()
    return 0


def run() -> None:
    """Writes bench/results/quick.json."""
    write(measured(), "quick")


def measured(names: Sequence[str] = ()) -> dict[str, Any]:
    """The scenarios, all where no `names` are given; nothing is written."""
    return measure([servers.SERENDIP, servers.floor()], ROUNDS, SECONDS, names)
