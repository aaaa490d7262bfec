"""Write the whole server's figures into README.md, docs/operate/scale.md and bench/results/whole.md."""

from typing import Any

from bench.server import plots
from bench.server.plots import UNITS
from bench.server.servers import UNSCREENED
from bench.support.documents import fill, short, table
from bench.support.results import RESULTS, ROOT, read

COLUMNS = {
    "cpu_s_per_M": ("cpu_s_per_M", "to_floor", "to_other", "messages_s", "p50_us", "p99_us"),
    "chat_us": ("chat_us", "to_other", "beside_us", "chats_s"),
    "bytes": ("bytes", "to_other", "connect_us", "idle_cpu"),
}  # fmt: skip


def tables(document: dict[str, Any]) -> str:
    """Return every scenario with all its columns, as Markdown."""
    machine = document["machine"]
    parts = [
        f"Machine: {machine['cpu']}, {machine['cores']} cores, Python {machine['python']}; load before: {machine['load']:.1f}. "
        f"Medians of {document['rounds']} rounds of {document['seconds']} s, server on one core, in turn.\n"
    ]
    for name, scenario in document["scenarios"].items():
        rows = sorted(scenario["servers"].items(), key=lambda item: item[1][scenario["figure"]])
        columns = [column for column in COLUMNS[scenario["figure"]] if any(column in row for _, row in rows)]
        cells = [[server, *(short(row[column]) if column in row else "" for column in columns)] for server, row in rows]
        parts.append(f"\n**{name}**: {scenario['words']}\n\n{table(('server', *columns), cells)}")
    return "".join(parts)


def summary(document: dict[str, Any]) -> str:
    """Return one table: a row per server, a column per scenario."""
    scenarios = document["scenarios"]
    names = sorted(
        {server for scenario in scenarios.values() for server in scenario["servers"]},
        key=lambda name: (name != "serendip", not name.startswith("serendip"), name != "floor", name),
    )
    head = [f"{name}: {UNITS[scenario['figure']]}" for name, scenario in scenarios.items()]
    rows = [
        ["**serendip**" if name == "serendip" else name, *(cell(scenario, name) for scenario in scenarios.values())]
        for name in names
    ]
    words = "; ".join(f"*{name}*: {scenario['words']}" for name, scenario in scenarios.items())
    machine = document["machine"]
    whole = (
        "serendip with all its processes, as it ships and without screening; each line has words of its own; "
        if UNSCREENED.name in names
        else ""
    )
    return (
        f"{table(['server', *head], rows)}\n{words}. Server on one core ({machine['cpu']}), "
        f"medians of {document['rounds']} rounds in turn; {whole}`floor` relays raw TCP, the peers pair by arrival and forward (picows, "
        "aiohttp and websockets on Python, ws on Node, gorilla on Go, tungstenite on Rust; uWebSockets is in no registry that the bench "
        "builds from). Made by `make bench`; "
        "[all columns](bench/results/whole.md).\n\n![Cost against peers](bench/results/peers.svg)\n"
    )


def cell(scenario: dict[str, Any], server: str) -> str:
    """Return a server's figure in a scenario; empty if it took no part."""
    row = scenario["servers"].get(server)
    return "" if row is None else short(row[scenario["figure"]])


def million(document: dict[str, Any]) -> str:
    """Return what a million waiting clients take."""
    machine = document["machine"]
    return (
        f"`make million`: {document['clients']:,} clients connected and waiting on one machine of {machine['cores']} cores and "
        f"{machine['memory'] / 2**30:.0f} GiB, both ends of every connection on it, in {document['processes']} processes: "
        f"{document['machine_bytes'] / 1e9:.1f} GB for everything, {document['servers_bytes'] / 1e9:.1f} GB of it the servers "
        f"({document['growth_bytes_per_client']:,.0f} bytes a client beside what a process takes), {document['seconds_to_come']:.0f} s for "
        f"all to come, {document['idle_cpu_cores']:.2f} of a core while they wait ([figures](../bench/results/million.json), "
        "[plot](../bench/results/million.svg)).\n"
    )


def sizing(document: dict[str, Any]) -> str:
    """Return the capacity of one core."""
    scenarios = document["scenarios"]
    mine = {name: one["servers"]["serendip"] for name, one in scenarios.items() if "serendip" in one["servers"]}
    costs = {name: row[scenarios[name]["figure"]] for name, row in mine.items()}
    lines = [
        core(words, costs[name])
        for name, words in (
            ("relay", "messages a second, each alone in its packet"),
            ("chat", "chats begun a second, with a new connection each side"),
            ("chat again", "chats begun a second on open connections"),
        )
        if name in mine
    ]
    if "waiting" in mine:
        each = mine["waiting"]["bytes"]
        lines.append(f"| memory of 10,000 waiting users | {each * 1e4 / 1e6:.1f} MB | |\n")
        lines.append(f"| memory of 100,000 waiting users | {each * 1e5 / 1e6:.0f} MB | |\n")
    if "relay" in mine and "chat again" in mine:
        # a person: a message in 5 s, a new chat every 3 minutes, which is for two
        each = costs["relay"] / 5 + costs["chat again"] / 2 / 180
        lines.append(core("chatting users, by the rows above: a message every 5 s, a new chat every 3 minutes", each))
    return table(("capacity of one core", "measured", "at half of a core"), []) + "".join(lines)


def core(words: str, each: float) -> str:
    """Return a row: how many a core carries at `each` microseconds, and half of a core."""
    return f"| {words} | {short(1e6 / each)} | {short(5e5 / each)} |\n"


def write() -> None:
    """Write everything made from bench/results/whole.json."""
    document = read("whole")
    if not document:
        raise SystemExit("there are no results yet: make bench")
    (RESULTS / "whole.md").write_text(
        "# The whole server beside its peers\n\nMade by `python -m bench report` from `whole.json`.\n\n"
        + tables(document)
        + "\n![Bars](peers.svg)\n\n![Cost against size](sizes.svg)\n\n![Latency](latency.svg)\n"
    )
    plots.draw(document)
    fill(ROOT / "README.md", "measure", summary(document))
    fill(ROOT / "docs" / "operate" / "scale.md", "sizing", sizing(document))
    if many := read("million"):
        fill(ROOT / "docs" / "performance.md", "million", million(many))
