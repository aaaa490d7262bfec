"""Compute the service with ten million users on paper: cores, hosts, hub, bus, waits over clusters, recovery after a host's death.

Measured costs are read from bench/results/, others are named as assumed, and the same seed gives the same figures.

    python -m bench scale              # prints it, within a minute
    python -m bench scale --keep       # writes bench/results/scale.json, its picture and docs/scaling.md
    python -m bench scale --people 1000000 --rooms 0.2
"""

import argparse
import json
from dataclasses import replace
from typing import Any

from bench.scale import arithmetic, documents, host_death, measured_costs, room_simulation
from bench.scale.assumptions import Assumed, told
from bench.support.hash_seed import run_with_hash_seed
from bench.support.results import write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the size and the duration."""
    parser.add_argument("--people", type=int, default=Assumed.people)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", type=float, default=1.0, help="arrivals simulated, beside the usual number")
    parser.add_argument(
        "--keep", action="store_true", help="write bench/results/scale.json, its picture and the document's tables"
    )


def main(chosen: argparse.Namespace) -> int:
    """Simulate, and print, in a process whose hash seed is fixed: by it words are counted (`ext.match.interner`), and so weighed."""
    if (status := run_with_hash_seed(chosen.seed)) is not None:
        return status
    found = document(replace(Assumed(), people=chosen.people), chosen.seed, chosen.rooms)
    if chosen.keep:
        write(found, "scale", ordered=False)
        documents.write(found)
    else:
        print(json.dumps(found, indent=1))
    print("\n".join(make(found) for make in documents.TABLES.values()))
    return 0


def document(world: Assumed, seed: int, scale: float = 1.0) -> dict[str, Any]:
    """Return all figures, with their inputs. `scale`: of the simulated arrivals."""
    read = measured_costs.measured()
    known = {name: cost.value for name, cost in read.items()}
    known |= measured_costs.derived(known)
    return {
        "seed": seed,
        "assumed": told(world),
        "costs": known,
        **arithmetic.everything(world, known),
        "languages": room_simulation.languages(world, seed, scale),
        "small": room_simulation.small(world, seed, scale),
        "back": host_death.everything(world, seed),
    }
