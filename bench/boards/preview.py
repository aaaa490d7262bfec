"""Draw each panel of each board from a live Prometheus under real load, for a person to look at.

The queries are those of the generated JSON, with the variables filled in as Grafana does. Grafana itself is not needed.
"""

import argparse
import asyncio
import io
import json
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from bench.boards.dashboard_drawing import Series, picture
from bench.load import generator
from bench.load.misbehaving_clients import rudeness
from bench.support.plots import pyplot
from bench.support.process_inspection import free_port
from bench.support.results import ROOT
from bench.support.serving import SERVER_CPU, Serving

BOARDS = ROOT / "grafana" / "boards"
PICTURES = ROOT / "grafana" / "previews"
SECONDS = 90  # of load that the pictures show: a silent client is pinged after 25, a chat's end takes its part
PACE = 0.5  # seconds between two rounds of people who do one of each thing
COLOURS = 255  # of a picture's palette


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add none."""


def main(_: argparse.Namespace) -> int:
    """Write grafana/previews/*.png; needs Debian's prometheus."""
    from tests.grafana.service import prometheus

    metrics = free_port()
    settings = {
        "SERENDIP_WORKERS": "2",  # so that the board of a host's processes has something to show
        "SERENDIP_METRICS__ENABLED": "true",
        "SERENDIP_METRICS__PORT": str(metrics),
        "SERENDIP_SESSION__GRACE": "5",
        "SERENDIP_VIDEO__TURN": "turn:127.0.0.1:3478",  # nobody calls through it, but credentials are given out
        "SERENDIP_VIDEO__REPORTS": "true",
        "SERENDIP_VIDEO__REPORTS_PORT": "0",
        "SERENDIP_MAIL__HOST": "127.0.0.1",
    }
    with (
        tempfile.TemporaryDirectory(prefix="serendip-preview-") as folder,
        Serving(core=SERVER_CPU, **settings) as server,
        prometheus(Path(folder), metrics) as base,
    ):
        scraped(base)
        loads = [
            generator.start([*words, "-w", "0"], server.port)
            for words in (
                ("relay", "-n", "60", "-t", str(SECONDS + 5)),
                ("chat", "-n", "20", "-c", "2", "-t", str(SECONDS / 2)),
            )
        ]
        shown = asyncio.run(live(server.port))
        for process in loads:
            generator.ended(process)
        for path in sorted(BOARDS.glob("*.json")):
            draw(json.loads(path.read_text()), base, shown)
    return 0


def scraped(base: str) -> None:
    """Wait for Prometheus' first scrape; it looks for targets every five seconds."""
    end = time.monotonic() + 30
    while not asked(base, "up == 1", time.time()):
        if time.monotonic() > end:
            raise TimeoutError("Prometheus does not scrape the server")
        time.sleep(0.2)  # a poll: it tells nobody


async def live(port: int) -> float:
    """Run load of every kind, and return the Unix time of its peak."""
    from tests.grafana.driven import Driven, spy, talk, trouble
    from tests.grafana.service import Person

    driven, end = Driven(), time.monotonic() + SECONDS
    misbehaving = asyncio.create_task(rudeness(port, SECONDS + 2, lambda: None))
    async with aiohttp.ClientSession() as http:
        waits, _ = await Person.comes(http, port)
        await waits.says(type="find", language="xx", interests=["nobody"])
        while time.monotonic() < end:
            driven.count["reports"] = 0  # so that this round reports and saves again
            await trouble(http, port, driven)
            await talk(http, port, driven)
            await spy(http, port, driven)
            await asyncio.sleep(PACE)
        shown = time.time()
        await misbehaving
        await waits.leaves()
    return shown


def draw(board: dict[str, Any], base: str, now: float) -> None:
    """Draw one board to a picture with a small palette; `now`: Unix seconds, the right end of each curve."""
    from PIL import Image

    def series(panel: Mapping[str, Any]) -> list[Series]:
        return [
            Series(
                named(target["legendFormat"], found["metric"]),
                [float(at) - now for at, _ in found["values"]],
                [float(value) for _, value in found["values"]],
            )
            for target in panel["targets"]
            for found in asked(base, target["expr"], now)
        ]

    raw = io.BytesIO()
    picture(pyplot(), board, series).savefig(raw, dpi=72, format="png")
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{board['uid']}.png"
    Image.open(raw).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(path, file=sys.stderr)


def asked(base: str, query: str, now: float) -> list[dict[str, Any]]:
    """Query a range over the load's time, ending at `now`."""
    text = query.replace("$instance", ".*").replace("$mode", ".*").replace("$__rate_interval", "10s")
    words = urllib.parse.urlencode({"query": text, "start": now - SECONDS, "end": now, "step": 1})
    with urllib.request.urlopen(f"{base}/api/v1/query_range?{words}", timeout=30) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def named(legend: str, labels: dict[str, str]) -> str:
    """Fill in the labels of a legend."""
    for name, value in labels.items():
        legend = legend.replace("{{" + name + "}}", value)
    return legend
