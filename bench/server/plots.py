"""Plot the whole server's figures: bars against the peers, cost against size, latencies."""

from typing import Any

from bench.support.plots import pyplot, save

UNITS = {"cpu_s_per_M": "CPU s per million messages", "chat_us": "CPU µs per chat", "bytes": "bytes per waiting client"}
COLOURS = {"serendip": "#d6336c", "serendip, screening off": "#f783ac", "floor": "#868e96"}


def draw(document: dict[str, Any]) -> None:
    """Write peers.svg, sizes.svg (if sizes were measured) and latency.svg."""
    scenarios = document["scenarios"]
    peers(scenarios)
    if document.get("sizes"):
        sizes(document["sizes"])
    latency({name: scenario for name, scenario in scenarios.items() if scenario["figure"] == "cpu_s_per_M"})


def peers(scenarios: dict[str, Any]) -> None:
    """Draw one bar chart per scenario."""
    figure, axes = pyplot().subplots(
        1, max(1, len(scenarios)), figsize=(3.2 * max(1, len(scenarios)), 3.4), squeeze=False
    )
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


def sizes(curves: dict[str, dict[str, float]]) -> None:
    """Draw cost against the bytes of a message."""
    figure, axis = pyplot().subplots(figsize=(6, 4))
    for server, points in curves.items():
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


def latency(relay: dict[str, Any]) -> None:
    """Draw median, 99th and 99.9th percentile of the relaying scenarios, one line per server."""
    figure, axis = pyplot().subplots(figsize=(6, 4))
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
