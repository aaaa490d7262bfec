"""Simulate how near each matching policy comes to the optimum, and after what wait.

N tickets of one pool arrive by Poisson at a stated rate. The optimum is the heaviest matching of all N together, which knows the future and in
which no ticket expires: `rustworkx.max_weight_matching` with the same integer weights. Waits are those of matched tickets, in simulated seconds.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import rustworkx

from bench.matching import documents
from bench.matching.workloads import Arrivals, Stream
from bench.support.hash_seed import run_with_hash_seed
from bench.support.machine import machine
from bench.support.results import ROOT, write
from engine.matching.lobby import Lobby
from engine.matching.thresholds import Thresholds
from engine.matching.tickets import Match, Pool, Ticket
from ext.match.interner import Ids

NEVER = 1e9
DEFAULT = "the service's default"
SIZES = (500, 1000, 2000, 4000)
RATES = (1.0, 10.0, 100.0, 1000.0)  # arrivals a second
SERVED = (10.0, 50.0, 100.0, 200.0, 300.0, 500.0, 1000.0)  # of the service's default, whose windows follow the rate
SHARED = (10.0, 100.0, 300.0, 1000.0)  # of the service's default over several workers
DRAWN = {
    "arrival": ("o", "on arrival"),
    "threshold": ("s", "steps by age"),
    "falling": ("^", "a floor that falls"),
    "batch": ("D", "windows of one length"),
}  # and the service's default
WORKERS = (2, 8, 16, 32)
NEARS = (0.0, 0.07, 0.10, 0.15)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose sizes and output."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--tickets", type=int, nargs="*", default=SIZES, help="sizes of the pool")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rates", type=float, nargs="*", help="arrivals a second")
    parser.add_argument(
        "--served", action="store_true", help="only what is served, with its windows by the arrival rate"
    )
    parser.add_argument(
        "--keep", action="store_true", help="write bench/results/quality.json, docs/frontier.svg and docs/matching.md"
    )
    parser.add_argument("--plot", help="write the frontier of the largest pool as a picture (.svg, .png)")


def main(chosen: argparse.Namespace) -> int:
    """Simulate, and print, in a process whose hash seed is fixed: by it words are counted (`ext.match.interner`), and so weighed."""
    if (status := run_with_hash_seed(chosen.seed)) is not None:
        return status
    if chosen.keep and (chosen.rates or chosen.served):
        raise SystemExit("what is kept is whole: no --rates, no --served beside --keep")
    rates = () if chosen.served else chosen.rates or RATES
    served, shared = chosen.rates or SERVED, chosen.rates or SHARED
    made = document(chosen.tickets, chosen.seed, chosen.plot, rates=rates, served=served, shared=shared)
    if chosen.keep:
        keep(made)
    if chosen.json:
        print(json.dumps(made))
    else:
        print(*(field.name for field in fields(Row)), sep="\t")
        for row in made["rows"]:
            print(*row.values(), sep="\t")
    return 0


@dataclass
class Row:
    """Result of one simulation."""

    # arrival, threshold (steps by age alone), falling (a floor of weight that falls), batch (windows of one length), served (the service's default,
    # named by its window at this rate), workers (the same for users of several workers or hosts)
    way: str
    setting: str
    tickets: int
    rate: float  # arrivals a second
    share: float  # of the optimal total weight
    wait_p50_s: float
    wait_p99_s: float
    matched: float  # share of the tickets that met somebody
    by_interest: float  # share of the tickets that met somebody over a shared interest
    overlap: float  # shared interests of a pair, mean
    workers: int = 1
    near: float = 0.0  # share by which a partner of the same worker may be worse
    moved: float = 0.0  # share of the pairs whose two came by different workers


class World:
    """N tickets, their weights, and the optimum."""

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        self.block: Arrivals = Stream(seed).take(n)
        self.words = [[f"i{i}" for i in self.block.ids(k)] for k in range(n)]
        self.gaps = np.random.default_rng(seed).exponential(1.0, n)
        lobby, ids = self.lobby(Thresholds())
        weight = {i: lobby._interner.weight(i) for row in ids for i in row}
        sets = [frozenset(row) for row in ids]
        members: dict[int, list[int]] = {}
        sums: dict[tuple[int, int], int] = {}
        for k, row in enumerate(ids):
            for i in row:
                for other in members.setdefault(i, []):
                    sums[other, k] = sums.get((other, k), 0) + weight[i]
                members[i].append(k)
        graph: rustworkx.PyGraph[int, int] = rustworkx.PyGraph(multigraph=False)
        graph.add_nodes_from(range(n))
        graph.add_edges_from([(a, b, w) for (a, b), w in sums.items()])
        matching = rustworkx.max_weight_matching(graph, weight_fn=int)
        self.optimum = sum(weight[i] for a, b in matching for i in sets[a] & sets[b])

    def lobby(self, thresholds: Thresholds) -> tuple[Lobby, list[Ids]]:
        """Return a lobby that has seen all words of the stream once, so that all ways weigh alike."""
        lobby = Lobby(thresholds)
        return lobby, [lobby.intern(words) for words in self.words]

    def run(self, way: str, setting: str, rate: float, thresholds: Thresholds, workers: int = 1) -> Row:
        """Let the tickets arrive, each by one of so many workers, then let time run until nothing more happens."""
        homes = np.random.default_rng(self.n).integers(1, workers + 1, self.n)
        lobby, ids = self.lobby(thresholds)
        pool = Pool()
        found: list[Match] = []
        now = 0.0
        for k in range(self.n):
            now += float(self.gaps[k]) / rate
            while (due := lobby.due()) is not None and due <= now:
                found += lobby.advance(due)[0]
            match = lobby.submit(Ticket(k, pool, ids[k], person=k + 1, since=now, home=int(homes[k])), now)
            if match is not None:
                found.append(match)
        while (due := lobby.due()) is not None and due < NEVER / 2:
            found += lobby.advance(due)[0]
        waits = np.array([wait for match in found for wait in (match.waited_a, match.waited_b)] or [0.0])
        shared = [match for match in found if match.common]
        return Row(
            way, setting, self.n, rate,
            share=round(sum(match.weight for match in found) / self.optimum, 4),
            wait_p50_s=round(float(np.quantile(waits, 0.5)), 3), wait_p99_s=round(float(np.quantile(waits, 0.99)), 3),
            matched=round(2 * len(found) / self.n, 4), by_interest=round(2 * len(shared) / self.n, 4),
            overlap=round(sum(len(match.common) for match in shared) / max(1, len(shared)), 3),
            workers=workers, near=thresholds.near,
            moved=round(sum(homes[match.a] != homes[match.b] for match in found) / max(1, len(found)), 4),
        )  # fmt: skip


def rows(world: World, rate: float) -> list[Row]:
    """Simulate the ways at one rate; thresholds and windows from hasty to patient."""
    at_once = Thresholds(any_after=0.0, anyone_after=NEVER, quiet_below=0, busy_window=0.0)
    found = [world.run("arrival", "first sight", rate, at_once)]
    for wait in (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0):
        rules = Thresholds(wait, 3 * wait, exact_after=3 * wait, quiet_below=0, enough=NEVER, busy_window=0.0)
        found.append(world.run("threshold", f"any after {wait:g} s", rate, rules))
    for wait in (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0):
        rules = Thresholds(0.0, NEVER, quiet_below=0, enough=NEVER, peak=300, falls=40, falls_for=wait, busy_window=0.0)
        found.append(world.run("falling", f"falls for {wait:g} s", rate, rules))
    for window in (0.1, 1.0, 10.0, 100.0, 10_000.0):
        rules = Thresholds(any_after=0.0, anyone_after=NEVER, quiet_below=0, window=window)
        found.append(world.run("batch", f"window {window:g} s", rate, rules))
    return found


def served_at(world: World, rate: float) -> Row:
    """Simulate the service's default at one rate, all users in one process."""
    window = Thresholds().window_at(rate)
    return world.run("served", f"window {window:.2g} s" if window else "no window", rate, Thresholds())


def shared_at(world: World, rate: float) -> list[Row]:
    """Simulate the service's default at one rate for users of several workers, by how much a near partner is preferred."""
    return [
        world.run("workers", f"{workers} workers, near {near:.0%}", rate, Thresholds(near=near), workers)
        for workers in WORKERS
        for near in NEARS
    ]


def keep(made: dict[str, Any]) -> None:
    """Keep a whole document as the result, and write the pages made of it."""
    draw([Row(**row) for row in made["rows"]], str(ROOT / "docs" / "frontier.svg"))
    write(made, "quality", ordered=False)
    documents.write()


def draw(found: list[Row], path: str) -> None:
    """Draw the frontier: share of the optimum over the median wait, counted in arrivals."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
    matplotlib.rcParams["svg.hashsalt"] = "frontier"  # the same picture from the same figures
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    size = max(row.tickets for row in found)
    for way, (mark, said) in DRAWN.items():
        some = [row for row in found if row.tickets == size and row.way == way]
        axes.scatter(
            [max(0.5, row.wait_p50_s * row.rate) for row in some], [row.share for row in some], marker=mark, label=said
        )
    own = [row for row in found if row.tickets == size and row.way == "served"]
    at = [max(0.5, row.wait_p50_s * row.rate) for row in own]
    axes.scatter(at, [row.share for row in own], marker="*", s=140, color="black", label=DEFAULT, zorder=3)
    for x, row in zip(at, own, strict=True):
        axes.annotate(
            f"{row.rate:,.0f}/s",
            (x, row.share),
            textcoords="offset points",
            xytext=(-7, 0),
            ha="right",
            va="center",
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.set_xlabel("median wait, in arrivals of the pool (wait x rate)")
    axes.set_ylabel("share of the weight of the best pairing")
    axes.set_ylim(0, 1)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, metadata={"Date": None} if path.endswith(".svg") else None)


def document(
    tickets: Sequence[int],
    seed: int,
    plot: str | None = None,
    *,
    rates: Sequence[float] = RATES,
    served: Sequence[float] = SERVED,
    shared: Sequence[float] = SHARED,
) -> dict[str, Any]:
    """Return the document that `--json` prints; `plot`: file for the frontier of the largest pool (.svg, .png).

    rates: of all ways; of the service's default in the largest pool: served, in one process, and shared, over several workers.
    """
    before = machine()
    found: list[Row] = []
    for n in tickets:
        world = World(n, seed)
        for rate in rates:
            found += rows(world, rate)
            print(n, rate, file=sys.stderr)
        if n == max(tickets):
            found += [served_at(world, rate) for rate in served]
            for rate in shared:
                found += shared_at(world, rate)
    if plot:
        draw(found, plot)
    return {"seed": seed, "machine": before, "moved": moved(found), "rows": [asdict(row) for row in found]}


def moved(found: Sequence[Row]) -> dict[str, float]:
    """Return by number of workers the moves a pair, as served, in the busiest pool."""
    shared = [row for row in found if row.way == "workers"]
    most = max((row.rate for row in shared), default=0.0)
    return {str(row.workers): row.moved for row in shared if (row.rate, row.near) == (most, Thresholds().near)}
