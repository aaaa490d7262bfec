"""Tables, plots and documents from the results that are kept. Rule: nothing is measured here."""

import argparse

from bench.matching import documents as matching
from bench.server import documents as server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def main(_: argparse.Namespace) -> int:
    """Writes all of them."""
    server.write()
    matching.write()
    return 0
