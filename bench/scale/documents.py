"""Write docs/scaling.md and its picture from bench/results/scale.json; each figure is marked as measured or computed."""

from collections.abc import Callable
from typing import Any, Final

from bench.scale.arithmetic import HUB_GOAL_US
from bench.scale.assumptions import SAID
from bench.scale.measured_costs import FIELDS
from bench.scale.room_simulation import CLUSTERS, COMMON, ONE, THIN
from bench.support.documents import fill, short, table
from bench.support.plots import pyplot, save
from bench.support.results import ROOT

PAGE: Final = ROOT / "docs" / "scaling.md"
DERIVED: Final = {
    "hop_us": (
        "µs", "a frame passed on by a host that has the client but not the chat",
        "`frame_us` ÷ `to_floor`; `python -m bench cells` has the edge's part of a line",
    ),
    "kernel_bytes": ("bytes", "the kernel's memory of one end of a connection", "(`machine_bytes` − `server_bytes` − `client_bytes`) ÷ 2"),
}  # fmt: skip
LOAD: Final = {"frames": "frames", "finds": "searches", "chats": "chats"}
HOSTS: Final = (
    "people a host",
    "hosts",
    "cores each",
    "memory each",
    "of all who lose their connection with one",
    "chats that end with it",
    "of them with somebody at another host",
)
BUS: Final = (
    "people a host",
    "hosts of the cluster",
    "rows/s between hubs",
    "messages/s sent",
    "heard",
    "cores of the hub that has the room",
    "of all hubs",
)
CROWDED: Final = (
    "workers",
    "chats",
    "chats/s",
    "full first",
    "workers could",
    "the hub could",
    "the frontend could",
    "of a worker's CPU, moves",
    "cores that look at lines",
    "with a hub of {:.0f} µs",
    "full first then",
    "messages/s instead",
)
WAYS: Final = {
    ONE: "one room",
    CLUSTERS: "a room a cluster",
    THIN: "and a common one for thin pools",
    COMMON: "and for whoever waits for a step",
}
COLOURS: Final = {ONE: "#868e96", CLUSTERS: "#4dabf7", THIN: "#d6336c"}
DRAWN: Final = {ONE: 1.5, CLUSTERS: 4.0, THIN: 1.5}  # and how thick: where two are the same, both are seen
SHORTEST: Final = 0.005  # seconds: nobody waits less in the picture


def costs(document: dict[str, Any]) -> str:
    """Return the measured costs and their sources."""
    known = document["costs"]
    rows = [
        (
            f"`{name}`", f"{digits(known[name])} {field.unit}", field.said,
            f"[{field.file}.json](../bench/results/{field.file}.json): `{field.path}`{f' ÷ `{field.over}`' if field.over else ''}",
        )
        for name, field in FIELDS.items()
    ]  # fmt: skip
    rows += [(f"`{name}`", f"{digits(known[name])} {unit}", said, made) for name, (unit, said, made) in DERIVED.items()]
    return table(("cost", "", "of what", "from"), rows)


def assumed(document: dict[str, Any]) -> str:
    """Return the assumptions."""
    rows = []
    for name, value in document["assumed"].items():
        unit, said = SAID[name]
        rows.append((f"`{name}`", f"{digits(value)} {unit}".strip(), said))
    return table(("assumed", "", "what it is"), rows)


def cores(document: dict[str, Any]) -> str:
    """Return cores by activity, together and apart."""
    does, found = document["load"], document["cores"]
    ways = found["together"], found["apart"]
    rows = [(part, *(f"{way[part]:.1f}" for way in ways)) for part in found["together"] if part != "all"]
    rows.append(("**all**", *(f"**{way['all']:.0f}**" for way in ways)))
    apart = document["assumed"]["apart"]
    rates = ", ".join(f"{does[name]:,.0f} {words}" for name, words in LOAD.items())
    head = ("cores", "pairs share a host", f"{apart:.0%} do not")
    return f"{document['assumed']['people']:,} people, a second: {rates}.\n\n{table(head, rows)}"


def hosts(document: dict[str, Any]) -> str:
    """Return one row per size of host."""
    rows = [
        (
            f"{row['people']:,.0f}", f"{row['hosts']:.0f}", f"{row['cores_together']:.2f} to {row['cores_apart']:.2f}", f"{row['gigabytes']:.1f} GB",
            f"{row['share']:.1%}", f"{row['chats_cut']:,.0f}", f"{row['told_elsewhere']:,.0f}",
        )
        for row in document["hosts"]
    ]  # fmt: skip
    return table(HOSTS, rows)


def hub(document: dict[str, Any]) -> str:
    """Return the hub, and the bus."""
    found, world = document["hub"], document["assumed"]
    rows = [
        (f"{row['people'] / row['hosts']:,.0f}", f"{row['hosts']:.0f}", f"{row['rows']:,.0f}", f"{row['sent']:,.0f}", f"{row['heard']:,.0f}",
         f"{row['owner']:.2f}", f"{row['cores']:.2f}")
        for row in document["bus"]
    ]  # fmt: skip
    return (
        f"The waiting room takes {found['million']:.1%} of a core a million people; one hub would be full with "
        f"{found['people_at_most'] / 1e6:.0f} million. NATS in a cluster of {world['cluster']:,}, beside that:\n\n{table(BUS, rows)}"
    )


def crowded(document: dict[str, Any]) -> str:
    """Return one host with many workers."""
    rows = [
        (
            f"{row['workers']}", "stored" if row["kept"] else "not stored", f"{row['chats']:,.0f}", row["full"],
            *(f"{row['at_most'][part]:,.0f}" for part in ("workers", "hub", "frontend")),
            f"{row['moves']:.0%}", f"{row['screening_cores']:.1f}", f"{row['chats_then']:,.0f}", row["full_then"], f"{row['messages']:,.0f}",
        )
        for row in document["crowded"]
    ]  # fmt: skip
    return table([name.format(HUB_GOAL_US) for name in CROWDED], rows)


def waits(document: dict[str, Any]) -> str:
    """Return waits by language, in all modes."""
    rows = [
        (pool(row), f"{row['share']:.2%}", f"{row['rate']:,.1f}", *(cluster(row["ways"][way]) for way in WAYS))
        for row in document["languages"]
    ]
    return table(("pool", "of all", "searches/s", *WAYS.values()), rows)


def meetings(document: dict[str, Any]) -> str:
    """Return by language: matches over clusters, users of the common room, matches with a common interest."""
    rows = []
    for row in document["languages"]:
        ways = row["ways"]
        rows.append((
            pool(row), *(f"{ways[way]['by_interest']:.0%}" for way in WAYS),
            *(f"{ways[way]['asked']:.0%}, {ways[way]['crossing']:.0%}" for way in (THIN, COMMON)),
        ))  # fmt: skip
    shared = [f"met by interest: {name}" for name in WAYS.values()]
    return table(("pool", *shared, "asks the common room, meets over clusters: thin", "and steps"), rows)


def small(document: dict[str, Any]) -> str:
    """Return few users on two hosts."""
    rows = [
        (f"{row['people']:,}", f"{row['rate']:,.1f}", *(cluster(row["ways"][way]) for way in WAYS))
        for row in document["small"]
    ]
    return table(
        ("people on two hosts", "searches/s", *(name.replace("cluster", "host") for name in WAYS.values())), rows
    )


def back(document: dict[str, Any]) -> str:
    """Return the times after a host's death."""
    rows = [
        (
            f"{row['people']:,} of {row['hosts']} hosts", f"{row['p50_s']:.1f} s", f"{row['p99_s']:.1f} s", f"{row['last_s']:.1f} s",
            f"{row['least_s']:.1f} s", f"{row['refused']:.1f}", f"{row['in_grace']:.0%}",
        )
        for row in document["back"]
    ]  # fmt: skip
    grace = document["assumed"]["grace"]
    head = ("dies", "half are back after", "99 %", "all", "the fronts alone need", "refused, a person")
    return table((*head, f"within the {grace:.0f} s of grace"), rows)


def cluster(found: dict[str, float]) -> str:
    """Format the waits of one mode."""
    return " · ".join(seconds(found[name]) for name in ("p50_s", "p99_s", "plain_p99_s"))


def seconds(value: float) -> str:
    """Format a wait in seconds."""
    return "< 0.01" if value < 0.01 else f"{value:.2f}" if value < 1 else f"{value:.1f}"


def pool(row: dict[str, Any]) -> str:
    """Return the subject of a row."""
    name = f"language {row['rank']}"
    return name if row["part"] == 1 else f"{row['part']:.0%} of {name}"


def digits(value: float) -> str:
    """Format a figure of any size readably."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return short(value) if value >= 0.001 else f"{value:.2g}"


TABLES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "scale-costs": costs,
    "scale-assumed": assumed,
    "scale-cores": cores,
    "scale-hosts": hosts,
    "scale-hub": hub,
    "scale-workers": crowded,
    "scale-waits": waits,
    "scale-meetings": meetings,
    "scale-small": small,
    "scale-back": back,
}


def write(document: dict[str, Any]) -> None:
    """Write the tables and the picture."""
    for mark, make in TABLES.items():
        fill(PAGE, mark, make(document))
    draw(document)


def draw(document: dict[str, Any]) -> None:
    """Draw the waits by pool, and the share of users who are back."""
    figure, (left, right) = pyplot().subplots(1, 2, figsize=(10, 3.8))
    rows = document["languages"]
    for way, width in DRAWN.items():
        for name, line in (("plain_p99_s", "o-"), ("p99_s", ":")):
            points = [max(SHORTEST, row["ways"][way][name]) for row in rows]
            said = WAYS[way] if line == "o-" else None
            left.plot(range(len(rows)), points, line, label=said, color=COLOURS[way], linewidth=width, alpha=0.7)
    left.set_yscale("log")
    left.set_xticks(
        range(len(rows)), [pool(row).replace(" of language ", "\nof ").replace("language ", "") for row in rows]
    )
    left.set_xlabel("language, by its size")
    left.set_ylabel("wait, 99th percentile (s)\ndotted: all; else who names no interest")
    for row in document["back"]:
        curve = row["curve"]
        parts = [100 * at / (len(curve) - 1) for at in range(len(curve))]
        right.plot(curve, parts, label=f"{row['people']:,}, one of {row['hosts']} hosts dies")
    right.set_xscale("log")
    right.set_xlabel("seconds after the death")
    right.set_ylabel("of its people who are back (%)")
    for axis in (left, right):
        axis.grid(True, alpha=0.2)
        axis.legend(fontsize=8)
    save(figure, "scale")
