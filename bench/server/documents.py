"""From the results to tables, plots and the figures in the documents. Rule: a figure in a document is written here, never typed.

A document marks the place: `<!-- measure -->` … `<!-- /measure -->` in README.md, `<!-- million -->` …, `<!-- sizing -->` … in docs/operations.md.
"""

import json
import re
from pathlib import Path
from typing import Any

from bench.server.whole import RESULTS

ROOT = Path(__file__).resolve().parents[2]
COLOURS = {"serendip": "#d6336c", "floor": "#868e96"}
UNITS = {"cpu_s_per_M": "CPU s per million messages", "chat_us": "CPU µs per chat", "bytes": "bytes per waiting client"}
COLUMNS = {
    "cpu_s_per_M": ("cpu_s_per_M", "to_floor", "messages_s", "p50_us", "p99_us"),
    "chat_us": ("chat_us", "chats_s"),
    "bytes": ("bytes", "connect_us", "idle_cpu"),
}  # fmt: skip


def load(name: str) -> dict[str, Any]:
    """A document of results; empty where there is none."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def short(value: float) -> str:
    """Three digits that count; what noise took below nought is nought."""
    return f"{value:,.0f}" if value >= 100 else f"{max(0.0, value):.3g}"


def tables(document: dict[str, Any]) -> str:
    """Every scenario with all its columns, as Markdown."""
    parts = [
        f"Machine: {document['machine']['cpu']}, {document['machine']['cores']} cores, Python {document['machine']['python']}; load before: {document['machine']['load']:.1f}. Medians of {document['rounds']} rounds of {document['seconds']} s, server on one core, in turn.\n"
    ]
    for name, scenario in document["scenarios"].items():
        columns = COLUMNS[scenario["figure"]]
        parts.append(
            f"\n**{name}**: {scenario['words']}\n\n| server | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}\n"
        )
        for server, row in sorted(scenario["servers"].items(), key=lambda item: item[1][scenario["figure"]]):
            parts.append(
                f"| {server} | {' | '.join(short(row[column]) if column in row else '' for column in columns)} |\n"
            )
    return "".join(parts)


def summary(document: dict[str, Any]) -> str:
    """One table: a row a server, a column a scenario."""
    scenarios = document["scenarios"]
    names = sorted(
        {server for scenario in scenarios.values() for server in scenario["servers"]},
        key=lambda name: (name != "serendip", name != "floor", name),
    )
    head = [f"{name}: {UNITS[scenario['figure']]}" for name, scenario in scenarios.items()]
    rows = [
        f"| {'**serendip**' if name == 'serendip' else name} | {' | '.join(short(scenario['servers'][name][scenario['figure']]) if name in scenario['servers'] else '' for scenario in scenarios.values())} |\n"
        for name in names
    ]
    words = "; ".join(f"*{name}*: {scenario['words']}" for name, scenario in scenarios.items())
    machine = document["machine"]
    return (
        f"| server | {' | '.join(head)} |\n|{' --- |' * (len(head) + 1)}\n{''.join(rows)}\n{words}. Server on one core ({machine['cpu']}), "
        f"medians of {document['rounds']} rounds in turn; `floor` relays raw TCP, the peers pair by arrival and forward (picows, aiohttp and websockets on Python, ws on Node, gorilla "
        "on Go, tungstenite on Rust; uWebSockets is in no registry that the bench builds from). Made by `make bench`; "
        "[all columns](bench/results/whole.md).\n\n![Cost against peers](bench/results/peers.svg)\n"
    )


def million(document: dict[str, Any]) -> str:
    """What it takes to let many wait."""
    machine = document["machine"]
    return (
        f"`make million`: {document['clients']:,} clients connected and waiting on one machine of {machine['cores']} cores and "
        f"{machine['memory'] / 2**30:.0f} GiB, both ends of every connection on it, in {document['processes']} processes: "
        f"{document['machine_bytes'] / 1e9:.1f} GB for everything, {document['servers_bytes'] / 1e9:.1f} GB of it the servers "
        f"({document['growth_bytes_per_client']:,.0f} bytes a client beside what a process takes), {document['seconds_to_come']:.0f} s for "
        f"all to come, {document['idle_cpu_cores']:.2f} of a core while they wait ([figures](bench/results/million.json), "
        "[plot](bench/results/million.svg)).\n"
    )


def sizing(document: dict[str, Any]) -> str:
    """What one core carries."""
    rows = document["scenarios"]
    mine = {
        name: scenario["servers"]["serendip"] for name, scenario in rows.items() if "serendip" in scenario["servers"]
    }
    lines = ["| what one core carries | measured | at half of a core |\n| --- | --- | --- |\n"]
    if "relay" in mine:
        lines.append(
            f"| messages a second, each alone in its packet | {short(1e6 / mine['relay']['cpu_s_per_M'])} | {short(5e5 / mine['relay']['cpu_s_per_M'])} |\n"
        )
    if "chat" in mine:
        lines.append(
            f"| chats begun a second, with a new connection each side | {short(1e6 / mine['chat']['chat_us'])} | {short(5e5 / mine['chat']['chat_us'])} |\n"
        )
    if "chat again" in mine:
        lines.append(
            f"| chats begun a second on open connections | {short(1e6 / mine['chat again']['chat_us'])} | {short(5e5 / mine['chat again']['chat_us'])} |\n"
        )
    if "waiting" in mine:
        lines.append(
            f"| memory of 10,000 who wait | {mine['waiting']['bytes'] * 1e4 / 1e6:.1f} MB | |\n| memory of 100,000 who wait | {mine['waiting']['bytes'] * 1e5 / 1e6:.0f} MB | |\n"
        )
    if "relay" in mine and "chat again" in mine:
        # a person: a message in 5 s, a new chat every 3 minutes
        each = mine["relay"]["cpu_s_per_M"] / 5e6 + mine["chat again"]["chat_us"] / 1e6 / 2 / 180
        lines.append(
            f"| people who chat, by the rows above: a message every 5 s, a new chat every 3 minutes | {short(1 / each)} | {short(0.5 / each)} |\n"
        )
    return "".join(lines)


def fill(path: Path, mark: str, text: str) -> None:
    """Put `text` between the marks of a document; a lone opening mark gets its closing one."""
    document = path.read_text()
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    if end not in document:
        document = document.replace(begin, f"{begin}\n{end}")
    path.write_text(
        re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}{end}", document, flags=re.S)
    )


def plots(document: dict[str, Any]) -> None:
    """Bars against the peers, cost against size, latencies."""
    plt = pyplot()
    scenarios = document["scenarios"]
    figure, axes = plt.subplots(1, max(1, len(scenarios)), figsize=(3.2 * max(1, len(scenarios)), 3.4), squeeze=False)
    for axis, (name, scenario) in zip(axes[0], scenarios.items(), strict=True):
        rows = sorted(scenario["servers"].items(), key=lambda item: -item[1][scenario["figure"]])
        axis.barh(
            [server for server, _ in rows],
            [row[scenario["figure"]] for _, row in rows],
            color=[COLOURS.get(server, "#4dabf7") for server, _ in rows],
        )
        axis.set_title(name, fontsize=10)
        axis.set_xlabel(UNITS[scenario["figure"]], fontsize=8)
        axis.tick_params(labelsize=8)
    save(figure, "peers")
    if document.get("sizes"):
        figure, axis = plt.subplots(figsize=(6, 4))
        for server, points in document["sizes"].items():
            axis.loglog(
                [int(size) for size in points],
                list(points.values()),
                "o-",
                label=server,
                color=COLOURS.get(server),
                linewidth=2 if server == "serendip" else 1,
            )
        axis.set_xlabel("bytes of a message")
        axis.set_ylabel(UNITS["cpu_s_per_M"])
        axis.legend(fontsize=8)
        axis.grid(True, which="both", alpha=0.2)
        save(figure, "sizes")
    figure, axis = plt.subplots(figsize=(6, 4))
    relay = {name: scenario for name, scenario in scenarios.items() if scenario["figure"] == "cpu_s_per_M"}
    servers = sorted({server for scenario in relay.values() for server in scenario["servers"]})
    for number, server in enumerate(servers):
        for at, scenario in enumerate(relay.values()):
            row = scenario["servers"].get(server)
            if row is not None:
                x = at + number / (len(servers) + 1)
                axis.plot(
                    [x, x, x],
                    [row["p50_us"], row["p99_us"], row["p999_us"]],
                    "o-",
                    color=COLOURS.get(server, f"C{number}"),
                    label=server if at == 0 else None,
                )
    axis.set_yscale("log")
    axis.set_xticks([at + 0.4 for at in range(len(relay))], list(relay))
    axis.set_ylabel("µs: p50, p99, p99.9 (the load is closed-loop)")
    axis.legend(fontsize=8)
    save(figure, "latency")


def pyplot() -> Any:
    """matplotlib without a screen."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "serendip"
    from matplotlib import pyplot

    return pyplot


def save(figure: Any, name: str) -> None:
    """A picture in bench/results/; a line ends without a space, so that git shows no noise."""
    figure.tight_layout()
    path = RESULTS / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")


def write() -> None:
    """Everything that is made from bench/results/whole.json."""
    document = load("whole")
    if not document:
        raise SystemExit("there are no results yet: make bench")
    (RESULTS / "whole.md").write_text(
        "# The whole server beside its peers\n\nMade by `python -m bench report` from `whole.json`.\n\n"
        + tables(document)
        + "\n![Bars](peers.svg)\n\n![Cost against size](sizes.svg)\n\n![Latency](latency.svg)\n"
    )
    plots(document)
    fill(ROOT / "README.md", "measure", summary(document))
    fill(ROOT / "docs" / "operations.md", "sizing", sizing(document))
    if many := load("million"):
        fill(ROOT / "README.md", "million", million(many))
