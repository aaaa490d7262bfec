"""Write the matcher's figures into README.md and docs/matching.md, from `matcher.json` and `quality.json` of bench/results/.

The service's waiting room and the index's array call, which only a bench makes, are shown side by side under their own names.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bench.support.documents import fill, table
from bench.support.results import ROOT, read

INDEX: Final = "the index alone (array call; not yet on the service's way)"
ROOM: Final = "the service's waiting room"
NAMES: Final = {
    "index": INDEX,
    "room": f"{ROOM} (one arrival: words, ticket, search, answer)",
    "calls": "the index alone, called from Python (a ticket a call, or arrays of 1,000)",
    "baselines": "what one would write instead, in Python and with NumPy",
}
SHOWN: Final = {
    "arrival": ("first sight",),
    "served": (),  # whatever window it has at this rate
    "falling": ("falls for 1 s", "falls for 3 s", "falls for 10 s", "falls for 30 s"),
    "batch": ("window 0.1 s", "window 1 s", "window 10 s"),
}
WORDS: Final = {
    "arrival": "on arrival",
    "served": "the service's default,",
    "falling": "a floor that",
    "batch": "paired, once in a",
}
SLOW, BUSY = 10.0, 1000.0  # arrivals a second
OUTCOME: Final = ("share of the optimum", "median wait", "p99 wait", "met by interest", "shared interests")
HELD: Final = (1_000, 10_000, 100_000, 1_000_000)


def number(value: float, digits: int = 0) -> str:
    """Format a figure; a dash if the scenario has none."""
    return f"{value:,.{digits}f}" if value else "–"


def between(low: float, high: float) -> str:
    """Format two rates: in millions a second, or in thousands if small."""
    if not high:
        return "–"
    return f"{low / 1e6:.2f}–{high / 1e6:.2f} M" if high >= 1e6 / 2 else f"{low / 1e3:.1f}–{high / 1e3:.1f} k"


Cells = Mapping[str, Callable[[dict[str, Any]], str]]  # the columns of a table: what a row shows there

TIMES: Final[Cells] = {
    "p50 ns": lambda row: number(row["p50_ns"]),
    "p99 ns": lambda row: number(row["p99_ns"]),
    "max µs": lambda row: number(row["max_ns"] / 1000),
    "matched": lambda row: f"{row['matched']:.3f}",
    "overlap": lambda row: f"{row['mean_overlap']:.2f}",
}
RATE: Final[Cells] = {
    "scenario": lambda row: row["scenario"],
    "mode": lambda row: row["mode"],
    "arrivals/s": lambda row: f"{row['arrivals_per_s']:,.0f}",
}
OF_ROUNDS: Final[Cells] = {
    "rounds": lambda row: between(row.get("slowest_round_per_s", 0.0), row.get("fastest_round_per_s", 0.0)),
}
COLUMNS: Final[Mapping[str, Cells]] = {
    "index": {
        **RATE,
        "spread": lambda row: between(row["slowest_per_s"], row["fastest_per_s"]),
        **TIMES,
        "over exact": lambda row: number(row["overlap_of_exact"], 4),
        "bytes a ticket": lambda row: number(row["bytes_per_ticket"]),
        "postings read": lambda row: number(row["postings_read"], 1),
    },
    "room": {**RATE, **OF_ROUNDS, **TIMES},
    "calls": {**RATE, **TIMES},
    "baselines": {**RATE, **TIMES},
}


def scenarios(document: dict[str, Any]) -> str:
    """Return one table per part of the matcher's bench."""
    return "\n".join(scenario_table(part, document["parts"][part]) for part in COLUMNS if part in document["parts"])


def scenario_table(part: str, found: dict[str, Any]) -> str:
    """Return one part: its subject, place and date of the measurement, and its rows."""
    machine, cells = found["machine"], COLUMNS[part]
    rows = [[cell(row) for cell in cells.values()] for row in found["rows"]]
    name = NAMES[part]
    where = f"one thread of {machine['cores']} cores ({machine['cpu']}, build {machine['build']})"
    when = f"{machine['date']}, load before: {machine['load']:.1f}; of {found['rounds']} rounds the median by rate"
    return f"**{name[0].upper()}{name[1:]}**\n\nSeed {found['seed']}, {where}, {when}.\n\n{table(list(cells), rows)}"


def held(document: dict[str, Any]) -> str:
    """Return both ways side by side, by pool size."""
    parts = document["parts"]

    def row(part: str, mode: str, size: int) -> dict[str, Any]:
        wanted = (f"held-{size}", mode)
        return next(row for row in parts[part]["rows"] if (row["scenario"], row["mode"]) == wanted)

    columns = [
        "who wait", f"{INDEX}: arrivals/s", "p99 µs", f"**{ROOM}**: arrivals/s", "slowest and fastest round", "p99 µs",
    ]  # fmt: skip
    cells = []
    for size in HELD:
        index, room = row("index", "budgeted", size), row("room", "waiting room", size)
        cells.append([
            f"{size:,}", f"{index['arrivals_per_s']:,.0f}", f"{index['p99_ns'] / 1e3:.1f}",
            f"{room['arrivals_per_s']:,.0f}", OF_ROUNDS["rounds"](room), f"{room['p99_ns'] / 1e3:.0f}",
        ])  # fmt: skip
    exact, budgeted = (row("index", mode, HELD[-1]) for mode in ("exact", "budgeted"))
    measured = ", ".join(
        f"{name} {parts[part]['machine']['date']}, load before {parts[part]['machine']['load']:.1f}, {parts[part]['rounds']} rounds"
        for part, name in (("index", "the index"), ("room", "the waiting room"))
    )
    return (
        f"{table(columns, cells)}\nMedians of rounds ({measured}). An arrival in the waiting room is all that the service asks of it: words become "
        "numbers, a ticket is made, only a good overlap is taken at first, and the two are told or the one waits; in the index it is a "
        "place in arrays, and any overlap will do. Of a million the index finds within its budget "
        f"{budgeted['overlap_of_exact']:.1%} of the overlap that its exact search finds at {exact['arrivals_per_s']:,.0f} arrivals/s, in "
        f"{budgeted['bytes_per_ticket']:.0f} bytes a ticket.\n"
    )


def chosen(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the frontier for the documents: the largest pool, a slow and a busy one."""
    most = max(row["tickets"] for row in document["rows"])
    return [
        row
        for way, settings in SHOWN.items()
        for rate in (SLOW, BUSY)
        for row in document["rows"]
        if (row["tickets"], row["way"], row["rate"]) == (most, way, rate)
        and row["setting"] in (settings or {row["setting"]})
    ]


def frontier(document: dict[str, Any]) -> str:
    """Return the table of the share of the optimum against the wait."""
    rows = [(row["way"], row["setting"], f"{row['rate']:.0f} /s", *outcome(row)) for row in chosen(document)]
    return table(("way", "setting", "rate", *OUTCOME), rows)


def outcome(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a simulation's outcome."""
    return (
        f"{row['share']:.1%}", f"{row['wait_p50_s']:.2f} s", f"{row['wait_p99_s']:.1f} s", f"{row['by_interest']:.0%}",
        f"{row['overlap']:.2f}",
    )  # fmt: skip


def served(document: dict[str, Any]) -> str:
    """Return the table of the service's default by the arrivals of a pool."""
    rows = [
        (f"{row['rate']:,.0f} /s", row["setting"].removeprefix("window "), *outcome(row))
        for row in document["rows"]
        if row["way"] == "served"
    ]
    return table(("arrivals", "window", *OUTCOME), rows)


def near(document: dict[str, Any]) -> str:
    """Return the table of the moves that the preference for near partners saves, and of the weight that it keeps."""
    found = {(row["rate"], row["workers"], row["near"]): row for row in document["rows"] if row["way"] == "workers"}
    nears = sorted({near for _, _, near in found})
    rows = []
    for rate, workers in sorted({(rate, workers) for rate, workers, _ in found}):
        each = [found[rate, workers, near] for near in nears]
        kept = [f"{row['moved']:.2f} · {row['share'] / each[0]['share']:.4f}" for row in each[1:]]
        rows.append((f"{rate:,.0f} /s", f"{workers}", f"{each[0]['moved']:.2f}", *kept))
    return table(("arrivals", "workers", "moves a pair: no preference", *(f"{near:.0%}" for near in nears[1:])), rows)


def default_in_words(document: dict[str, Any]) -> str:
    """Return the README's sentence about the service's default in a busy pool."""
    row = next(row for row in document["rows"] if (row["way"], row["rate"]) == ("served", BUSY))
    return (
        f"Of {row['tickets']:,} searches that come in at {BUSY:,.0f} a second the default makes {row['share']:.0%} of the weight of shared interests "
        f"that the best pairing of all of them would, with a median wait of {row['wait_p50_s']:.2f} s (99th percentile {row['wait_p99_s']:.1f} s).\n"
    )


def summary(figures: dict[str, Any], shares: dict[str, Any]) -> str:
    """Return the page in short: arrivals a second, and the frontier of a busy pool."""
    rows = [
        (
            f"{WORDS[row['way']]}{' ' + row['setting'] if row['way'] != 'arrival' else ''}",
            f"{row['wait_p50_s']:.2g} s",
            f"{row['share']:.0%}",
        )
        for row in chosen(shares)
        if row["rate"] == BUSY
    ]
    return (
        f"{held(figures)}\nThe frontier, {max(row['tickets'] for row in shares['rows']):,} tickets at {BUSY:,.0f} a second; 100 % is the best that "
        "somebody who knows the future could do:\n\n"
        f"{table(('way', 'median wait', 'share of the optimal weight'), rows)}"
    )


def write() -> None:
    """Write the tables of docs/matching.md, and the README's sentence, from the kept results."""
    figures, shares = read("matcher"), read("quality")
    if not figures or not shares:
        raise SystemExit("there are no results of the matcher yet: make bench-matching")
    page = ROOT / "docs" / "matching.md"
    fill(page, "frontier", frontier(shares))
    fill(page, "served", served(shares))
    fill(page, "near", near(shares))
    fill(ROOT / "README.md", "frontier", default_in_words(shares))
    fill(page, "scenarios", scenarios(figures))
    fill(page, "matcher", summary(figures, shares))
