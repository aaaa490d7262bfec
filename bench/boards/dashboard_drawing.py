"""Draw a Grafana dashboard as one picture, with its rows and panels in Grafana's layout, from series of Prometheus. No I/O.

Units, thresholds and legends are those of the dashboard's JSON; a panel without data says so.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

WIDE, TALL, HEADING = 15.0, 0.32, 0.3  # inches: the picture, a unit of a panel's height, a row's title
COLUMNS = 24  # of Grafana's grid
COLOURS = {"green": "#2b8a3e", "orange": "#e8590c", "red": "#c92a2a", "blue": "#1971c2", "text": "#868e96"}
DRAWN = {"stat", "timeseries"}  # kinds of panels; Grafana's own list of alerts asks it, not Prometheus
MOST = 8  # names of a legend, the highest curves first; those at nought have no line of their own to be found by


class Series(NamedTuple):
    """One line of a panel: legend, seconds before now, values."""

    name: str
    times: Sequence[float]
    values: Sequence[float]


def count(value: float) -> str:
    """Format a count: 1.2 K, 3 M."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " K")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def span(value: float) -> str:
    """Format a length of time in a suitable unit."""
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return "0 s" if value == 0 else f"{value * 1e6:.2g} µs"


def octets(value: float) -> str:
    """Format bytes by powers of 1,024, as Grafana's `bytes`."""
    for size, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} B"


UNITS: Mapping[str, Callable[[float], str]] = {
    "short": count,
    "s": span,
    "d": lambda value: f"{value:.3g} d",
    "bytes": octets,
    "Bps": lambda value: octets(value) + "/s",
    "percentunit": lambda value: f"{value * 100:.3g} %",
    "cps": lambda value: count(value) + "/s",
    "reqps": lambda value: count(value) + " req/s",
}


def rows(board: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return (title, panels) of each row."""
    found: list[tuple[str, list[Mapping[str, Any]]]] = []
    for panel in board["panels"]:
        if panel["type"] == "row":
            found.append((panel["title"], []))
        else:
            found[-1][1].append(panel)
    return found


def lines(panels: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Split the panels of a row into lines of the grid."""
    found: list[list[Mapping[str, Any]]] = [[]]
    for panel in panels:
        if sum(one["gridPos"]["w"] for one in [*found[-1], panel]) > COLUMNS:
            found.append([])
        found[-1].append(panel)
    return found


def tall(line: Sequence[Mapping[str, Any]]) -> float:
    """Return the height in inches of panels side by side."""
    return TALL * max(float(panel["gridPos"]["h"]) for panel in line)


def picture(plt: Any, board: Mapping[str, Any], series: Callable[[Mapping[str, Any]], list[Series]]) -> Any:
    """Draw the figure. `series`: returns the lines of a panel, called once per panel."""
    parts = rows(board)
    heights = [HEADING + sum(map(tall, lines(panels))) for _, panels in parts]
    figure = plt.figure(figsize=(WIDE, sum(heights) + 0.5), layout="constrained")
    figure.suptitle(board["title"], x=0.008, ha="left", fontsize=15, weight="bold")
    for part, (title, panels) in zip(
        figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False)[:, 0], parts, strict=True
    ):
        part.suptitle(title, x=0.01, ha="left", fontsize=11, color="#495057")
        grid = part.add_gridspec(len(lines(panels)), COLUMNS, height_ratios=[tall(line) for line in lines(panels)])
        for at, line in enumerate(lines(panels)):
            left = 0
            for panel in line:
                width = panel["gridPos"]["w"]
                axis = part.add_subplot(grid[at, left : left + width])
                axis.set_title(panel["title"], fontsize=9.5)
                if panel["type"] not in DRAWN:
                    axis.set_axis_off()
                    axis.text(
                        0.5,
                        0.5,
                        "drawn by Grafana",
                        ha="center",
                        va="center",
                        color=COLOURS["text"],
                        transform=axis.transAxes,
                    )
                else:
                    (_number if panel["type"] == "stat" else _curves)(axis, panel, series(panel))
                left += width
    return figure


def _unit(panel: Mapping[str, Any]) -> Callable[[float], str]:
    return UNITS[panel["fieldConfig"]["defaults"]["unit"]]


def _limits(panel: Mapping[str, Any]) -> list[tuple[float, str]]:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [(step["value"], COLOURS[step["color"]]) for step in steps if step["value"] is not None]


def _number(axis: Any, panel: Mapping[str, Any], found: Sequence[Series]) -> None:
    """Draw the last value, or its meaning, in the colour of its threshold."""
    defaults = panel["fieldConfig"]["defaults"]
    values = [value for one in found for value in one.values if not math.isnan(value)]
    if values:
        words = {
            key: said["text"]
            for mapping in defaults["mappings"]
            if mapping["type"] == "value"
            for key, said in mapping["options"].items()
        }
        text = words.get(f"{values[-1]:g}", _unit(panel)(values[-1]))
        colour = COLOURS[defaults["thresholds"]["steps"][0]["color"]]
        for limit, above in _limits(panel):
            colour = above if values[-1] >= limit else colour
    else:
        text, colour = defaults["noValue"], COLOURS["text"]
    axis.set_xticks([])
    axis.set_yticks([])
    ground = panel["options"]["colorMode"] == "background"
    axis.set_facecolor(colour if ground else "white")
    for side in axis.spines.values():
        side.set_visible(False)
    shown = {"fontsize": 15 if ground else 24, "color": "white" if ground else colour}
    axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes, **shown)


def _curves(axis: Any, panel: Mapping[str, Any], found: Sequence[Series]) -> None:
    """Draw values over time, stacked if the board stacks them."""
    stacked = panel["fieldConfig"]["defaults"].get("custom", {}).get("stacking", {}).get("mode") == "normal"
    shown = [one for one in found if any(not math.isnan(value) for value in one.values)]
    shown.sort(key=lambda one: -max(value for value in one.values if not math.isnan(value)))
    if stacked and shown:
        times = sorted({time for one in shown for time in one.times})
        heights = [[dict(zip(one.times, one.values, strict=True)).get(time, 0.0) for time in times] for one in shown]
        axis.stackplot(times, heights, labels=[one.name for one in shown], alpha=0.6)
    else:
        for one in shown:
            axis.plot(one.times, one.values, label=one.name, linewidth=1.1)
    if not shown:
        axis.text(0.5, 0.5, "no data", ha="center", va="center", color="#868e96", transform=axis.transAxes)
    axis.set_ylim(bottom=0, top=None if axis.get_ylim()[1] > 0 and any(map(_above, shown)) else 1)
    for limit, colour in _limits(panel):
        if limit <= axis.get_ylim()[1] * 1.5:
            axis.axhline(limit, color=colour, linestyle="--", linewidth=0.8)
    unit = _unit(panel)
    axis.yaxis.set_major_locator(_ticks())
    axis.yaxis.set_major_formatter(lambda value, _: unit(value))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} s")
    axis.tick_params(labelsize=7)
    axis.grid(True, alpha=0.2)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    high = sum(map(_above, shown)) or len(shown)
    handles, names = (part[: min(high, MOST)] for part in axis.get_legend_handles_labels())
    if handles:
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.1), "ncols": 4, "frameon": False}
        axis.legend(handles, names, fontsize=7, handlelength=1, columnspacing=1, **below)


def _above(one: Series) -> bool:
    return any(value > 0 for value in one.values)


def _ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(4)
