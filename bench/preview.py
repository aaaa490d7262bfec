"""Each panel of each board drawn to a picture from a live Prometheus beside real load, so that a person can look.

Rule: the queries are those of the generated JSON, with the variables filled in as Grafana would. Grafana itself is not needed.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from bench import servers
from bench.report import pyplot

ROOT = Path(__file__).resolve().parent.parent
BOARDS = ROOT / "grafana" / "boards"
PICTURES = ROOT / "grafana" / "previews"
SECONDS = 40  # of load that the pictures show


def main() -> int:
    """Writes grafana/previews/*.png; needs Debian's prometheus."""
    from tests.grafana.service import prometheus

    load, metrics = str(servers.build_load()), servers.free_port()
    with (
        tempfile.TemporaryDirectory(prefix="serendip-preview-") as folder,
        servers.running(servers.serendip(), SERENDIP_METRICS__PORT=str(metrics)) as (port, _),
        prometheus(Path(folder), metrics) as base,
    ):
        time.sleep(6.0)  # Prometheus looks for its targets every five seconds
        for words in (("relay", "-n", "100"), ("chat", "-n", "40", "-c", "4"), ("relay", "-n", "400", "-d", "2")):
            command = [load, *words, "-p", str(port), "-t", str(SECONDS / 4), "-w", "0"]
            subprocess.run(command, check=True, capture_output=True)
        for path in sorted(BOARDS.glob("*.json")):
            draw(json.loads(path.read_text()), base)
    return 0


def draw(board: dict[str, Any], base: str) -> None:
    """One board: a grid of its panels."""
    plt = pyplot()
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    rows = -(-len(panels) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(15, 2.6 * rows), squeeze=False)
    figure.suptitle(board["title"])
    for axis, panel in zip(axes.flat, panels, strict=False):
        for target in panel["targets"]:
            for series in asked(base, target["expr"]):
                points = [(float(at), float(value)) for at, value in series["values"]]
                start = points[-1][0]
                axis.plot(
                    [at - start for at, _ in points],
                    [value for _, value in points],
                    label=named(target["legendFormat"], series["metric"]),
                    linewidth=1,
                )
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
            if step["value"] is not None and axis.get_ylim()[1] > step["value"] / 4:
                axis.axhline(step["value"], color=step["color"], linestyle="--", linewidth=0.8)
        axis.set_title(f"{panel['title']} [{panel['fieldConfig']['defaults']['unit']}]", fontsize=9)
        axis.tick_params(labelsize=7)
        axis.set_ylim(bottom=0)
        if 1 < len(axis.lines) <= 14:
            axis.legend(fontsize=5, ncols=2)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    figure.tight_layout()
    PICTURES.mkdir(exist_ok=True)
    figure.savefig(PICTURES / f"{board['uid']}.png", dpi=65, metadata={"Software": None})
    print(PICTURES / f"{board['uid']}.png", file=sys.stderr)


def asked(base: str, query: str) -> list[dict[str, Any]]:
    """A range query over the load's time."""
    text = query.replace("$instance", ".*").replace("$mode", ".*").replace("$__rate_interval", "5s")
    now = time.time()
    words = urllib.parse.urlencode({"query": text, "start": now - SECONDS, "end": now, "step": 1})
    with urllib.request.urlopen(f"{base}/api/v1/query_range?{words}", timeout=30) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def named(legend: str, labels: dict[str, str]) -> str:
    """A legend with its labels filled in."""
    for name, value in labels.items():
        legend = legend.replace("{{" + name + "}}", value)
    return legend
