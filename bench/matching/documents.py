"""The matcher's figures, measured and put into the documents. Rule: as in bench/server/report.py, a figure is written here, never typed.

`bench/results/matcher.json` and `quality.json` are what `bench.matching.matcher --json` and `bench.matching.quality --json` print.
"""

import json
from typing import Any

from bench.matching import matcher, quality
from bench.server.report import ROOT, fill, load
from bench.server.whole import RESULTS

SHOWN = {
    "arrival": ("first sight",),
    "threshold": ("the service's default",),
    "falling": ("falls for 1 s", "falls for 3 s", "falls for 10 s", "falls for 30 s"),
    "batch": ("window 0.1 s", "window 1 s", "window 10 s"),
}
WORDS = {
    "arrival": "on arrival",
    "threshold": "thresholds of the protocol, as served",
    "falling": "a floor that",
    "batch": "paired, once in a",
}
ROUNDS = 3
SLOW, BUSY = 10.0, 1000.0  # arrivals a second


def measure(seed: int = 1) -> None:
    """Run both benches whole, with the baselines; keep what they print."""
    for name, document in (
        ("matcher", matcher.document(seed, quick=False, with_baselines=True, rounds=ROUNDS)),
        ("quality", quality.document([500, 1000, 2000, 4000], seed, plot=str(ROOT / "docs" / "frontier.svg"))),
    ):
        (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def number(value: float, digits: int = 0) -> str:
    """A figure of a table; a dash for what a scenario does not have."""
    return f"{value:,.{digits}f}" if value else "–"


def spread(row: dict[str, Any]) -> str:
    """Between which rates eight of ten spans of 50,000 arrivals lay, in millions a second."""
    low, high = row.get("slowest_per_s", 0.0), row.get("fastest_per_s", 0.0)
    return f"{low / 1e6:.2f}–{high / 1e6:.2f} M" if high else "–"


def scenarios(document: dict[str, Any]) -> str:
    """Every scenario of the matcher's bench, a row each."""
    machine = document["machine"]
    columns = "scenario | mode | arrivals/s | spread | p50 ns | p99 ns | max µs | matched | overlap | over exact | bytes a ticket | postings read"
    rows = "".join(
        f"| {row['scenario']} | {row['mode']} | {row['arrivals_per_s']:,.0f} | {spread(row)} | {number(row['p50_ns'])} | {number(row['p99_ns'])} "
        f"| {number(row['max_ns'] / 1000)} | {row['matched']:.3f} | {row['mean_overlap']:.2f} | {number(row['overlap_of_exact'], 4)} "
        f"| {number(row['bytes_per_ticket'])} | {number(row['postings_read'], 1)} |\n"
        for row in document["scenarios"]
    )
    return (
        f"Seed {document['seed']}, one thread of {machine['cores']} cores ({machine['cpu']}, build {machine['build']}), load before: "
        f"{machine['load']:.1f}; of {document['rounds']} rounds the median by rate.\n\n| {columns} |\n|{' --- |' * len(columns.split('|'))}\n{rows}"
    )


def chosen(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the frontier that the documents show: the largest pool, a slow and a busy one."""
    most = max(row["tickets"] for row in document["rows"])
    return [
        row
        for way, settings in SHOWN.items()
        for rate in (SLOW, BUSY)
        for row in document["rows"]
        if (row["tickets"], row["way"], row["rate"]) == (most, way, rate) and row["setting"] in settings
    ]


def frontier(document: dict[str, Any]) -> str:
    """Share of the optimum against the wait it costs."""
    columns = (
        "way | setting | rate | share of the optimum | median wait | p99 wait | met by interest | shared interests"
    )
    return f"| {columns} |\n|{' --- |' * 8}\n" + "".join(
        f"| {row['way']} | {row['setting']} | {row['rate']:.0f} /s | {row['share']:.1%} | {row['wait_p50_s']:.2f} s "
        f"| {row['wait_p99_s']:.1f} s | {row['by_interest']:.0%} | {row['overlap']:.2f} |\n"
        for row in chosen(document)
    )


def summary(figures: dict[str, Any], shares: dict[str, Any]) -> str:
    """For the README: a million, and the frontier of a busy pool."""
    rows = [row for row in figures["scenarios"] if row["scenario"] == "held-1000000" and row["mode"]]
    lines = [
        "| a million held | arrivals/s | p99 ns | matched | of the exact overlap | bytes a ticket |\n|"
        + " --- |" * 6
        + "\n",
        *(
            f"| {row['mode']} | {row['arrivals_per_s']:,.0f} | {row['p99_ns']:,.0f} | {row['matched']:.1%} | {row['overlap_of_exact']:.1%} "
            f"| {row['bytes_per_ticket']:.0f} |\n"
            for row in rows
        ),
        f"\nThe frontier, {max(row['tickets'] for row in shares['rows']):,} tickets at {BUSY:,.0f} a second; 100 % is the best that somebody "
        "who knows the future could do:\n\n| way | median wait | share of the optimal weight |\n| --- | --- | --- |\n",
        *(
            f"| {WORDS[row['way']]}{' ' + row['setting'] if row['way'] in ('falling', 'batch') else ''} | {row['wait_p50_s']:.2g} s "
            f"| {row['share']:.0%} |\n"
            for row in chosen(shares)
            if row["rate"] == BUSY
        ),
    ]
    return "".join(lines)


def write() -> None:
    """The tables of docs/matching.md and README.md, from what was kept."""
    figures, shares = load("matcher"), load("quality")
    if not figures or not shares:
        raise SystemExit("there are no results of the matcher yet: make bench-matching")
    page = ROOT / "docs" / "matching.md"
    fill(page, "frontier", frontier(shares))
    fill(page, "scenarios", scenarios(figures))
    fill(ROOT / "README.md", "matcher", summary(figures, shares))
