"""Measure Serendip, as it ships and without screening, and the floor (a relay of raw TCP), in three minutes.

The result, quick.json, is ignored by git, and no document is written.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from bench.server import servers
from bench.server.peer_comparison import measure
from bench.support.results import write

ROUNDS, SECONDS = 3, 1.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add none: compared runs must be measured alike."""


def main(_: argparse.Namespace) -> int:
    """Measure, and keep it."""
    run()
    return 0


def run() -> None:
    """Write bench/results/quick.json."""
    write(measured(), "quick")


def measured(names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the scenarios, all if no `names` are given; nothing is written."""
    return measure([servers.SERENDIP, servers.UNSCREENED, servers.floor()], ROUNDS, SECONDS, names)
