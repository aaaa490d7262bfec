"""Write tables, plots and documents from the kept results. Nothing is measured here."""

import argparse

from bench.matching import documents as matching
from bench.server import documents as server


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add none."""


def main(_: argparse.Namespace) -> int:
    """Write all of them."""
    server.write()
    matching.write()
    return 0
