"""What the tests ask of the boards and the alerts: every query, as it would reach Prometheus."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "grafana"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]


class Query(NamedTuple):
    """Where a query stands, and its text."""

    where: str
    text: str


def panels() -> list[tuple[str, dict[str, Any]]]:
    """(board, panel) of all generated files; rows and Grafana's own list of alerts left out, which ask nothing."""
    boards = [json.loads(path.read_text()) for path in sorted((FOLDER / "boards").glob("*.json"))]
    return [
        (board["title"], panel)
        for board in boards
        for panel in board["panels"]
        if panel["type"] not in ("row", "alertlist")
    ]


def queries(window: str = "1m") -> list[Query]:
    """Every panel's queries, with the variables filled in: all instances, all modes, and `window` for the rate."""
    return [
        Query(f"{board} / {panel['title']}", filled(target["expr"], window))
        for board, panel in panels()
        for target in panel["targets"]
    ]


def filled(text: str, window: str) -> str:
    """A query without Grafana's variables."""
    return text.replace("$instance", ".*").replace("$mode", ".*").replace("$__rate_interval", window)
