"""Boards and alerts are generated, complete, and ask only for what the table of metrics declares."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from grafana.__main__ import texts
from server.ops.alerts.alertmanager_config import CAUSES, HEARTBEAT
from server.ops.log import EVENTS
from server.ops.metrics.metric_table import METRICS, VALUES
from server.ops.metrics.metric_type import Metric
from tests.grafana.boards import ALERTS, FOLDER, ROOT, panels, queries

NAMES = {
    shown: metric
    for metric in METRICS
    for shown in (
        [f"{metric.name}_{part}" for part in ("bucket", "sum", "count")]
        if metric.kind == "histogram"
        else [metric.shown]
    )
}
FOREIGN = {"up", "ALERTS", "alertmanager_notifications_failed_total"}  # Prometheus' and Alertmanager's own


def selectors(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(metric, label to value) of every selector in a query."""
    for match in re.finditer(r"([A-Za-z_]+)\{([^}]*)\}", text):
        yield match[1], dict(re.findall(r'(\w+)!?=~?"([^"]*)"', match[2]))


def asked() -> list[tuple[str, str]]:
    """(where, query) of panels and alerts."""
    return [*queries(), *((alert["alert"], alert["expr"]) for alert in ALERTS)]


def unknown(text: str, names: Mapping[str, Metric] = NAMES) -> list[str]:
    """What a query asks for that `names` does not declare: metrics, labels, values, bounds."""
    found = []
    for name, labels in selectors(text):
        if name in FOREIGN:
            continue
        if name not in names:
            found.append(f"{name} is not in the table")
            continue
        metric = names[name]
        for label, values in labels.items():
            if label in ("job", "instance") or values == ".*":
                continue
            known = (
                [str(bound) for bound in metric.buckets] if label == "le" else VALUES.get(metric.name, {}).get(label)
            )
            if label != "le" and label not in metric.labels:
                found.append(f"{name} has no label {label}")
            elif known is not None and not set(values.split("|")) <= set(known):
                found.append(f"{name} has no {label} {values}")
    return found


@pytest.mark.parametrize(("where", "text"), asked())
def test_a_query_parses_and_names_declared_metrics_labels_and_values(where: str, text: str) -> None:
    promql_parser.parse(text)
    assert list(selectors(text)) or text == "vector(1)"
    assert unknown(text) == []


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_that_is_renamed_is_missed_by_the_queries_that_ask_for_it(metric: Metric) -> None:
    without = {shown: other for shown, other in NAMES.items() if other is not metric}
    missed = [where for where, text in asked() if unknown(text, without)]
    assert bool(missed) == (metric.shown not in UNSHOWN)


def test_every_metric_of_ours_is_on_a_board() -> None:
    shown = " ".join(text for _, text in asked())
    missing = [
        metric.shown for metric in METRICS if not re.search(rf"\b{metric.name}(_total|_bucket|_sum|_count)?\b", shown)
    ]
    assert set(missing) <= UNSHOWN


# For looking into something, not for a board: totals that a panel's rate has in another shape.
UNSHOWN = {
    "serendip_message_bytes_total", "serendip_reads_total", "serendip_waiting_aside", "serendip_matcher_interests", "serendip_pools",
    "serendip_matcher_dropped_total", "serendip_connections_top",
}  # fmt: skip


def test_every_panel_says_its_unit_and_what_to_think_of_it() -> None:
    for board, panel in panels():
        assert panel["fieldConfig"]["defaults"]["unit"], (board, panel["title"])
        assert len(panel["description"]) > 15, (board, panel["title"])
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert all(target["legendFormat"] for target in panel["targets"])


def test_the_first_board_answers_by_colour_and_what_has_no_norm_has_none() -> None:
    """Its first row: numbers on a ground of their colour, and each can turn red. A count of people is neither good nor bad."""
    board = json.loads((FOLDER / "boards" / "serendip-service.json").read_text())
    first, *rest = [number for number, panel in enumerate(board["panels"]) if panel["type"] == "row"]
    row = board["panels"][first + 1 : rest[0]]
    assert sum(panel["gridPos"]["w"] for panel in row) == 24
    assert {panel["options"]["colorMode"] for panel in row} == {"background"}
    for panel in row:
        assert "red" in {step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]}, panel[
            "title"
        ]
    steps = {panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"] for panel in row}
    assert [step["color"] for step in steps["Up"]] == ["red", "green"]
    assert [step["color"] for step in steps["Database"]] == ["red", "green"]
    now = board["panels"][rest[0] + 1 : rest[1]]
    assert {
        step["color"]
        for panel in now
        for step in panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
    } == {"blue"}
    assert [panel["type"] for panel in now].count("alertlist") == 1


def test_the_committed_boards_are_what_the_code_makes() -> None:
    assert {path.name for path in texts()} == {path.name for path in (FOLDER / "boards").glob("*.json")}
    for path, text in texts().items():
        assert path.read_text() == text, "make it anew: python -m grafana"


@pytest.mark.parametrize("alert", [alert["alert"] for alert in ALERTS])
def test_an_alert_has_a_run_book_entry_and_a_test_that_fires_and_one_that_does_not(alert: str) -> None:
    rule = next(rule for rule in ALERTS if rule["alert"] == alert)
    assert rule["annotations"]["runbook"] == f"docs/operate/runbook.md#{alert.lower()}"
    assert f"\n### {alert}\n" in (ROOT / "docs" / "operate" / "runbook.md").read_text()
    tests = (FOLDER / "alerts_test.yml").read_text()
    assert f'name: "{alert} fires' in tests
    assert f'name: "{alert} is quiet' in tests or alert == HEARTBEAT


def test_each_alert_has_a_severity_that_means_something_and_a_summary() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"page", "ticket", "none"}, rule["alert"]
        assert len(rule["annotations"]["summary"]) > 15, rule["alert"]
    named = {name for cause, hidden, _ in CAUSES for name in (cause, *hidden)}
    assert named <= {rule["alert"] for rule in ALERTS}


def test_promtool_reads_what_prometheus_is_given() -> None:
    promtool("check", "config", "prometheus.yml")


def test_each_alert_fires_where_its_tests_say_so_and_nowhere_else(tmp_path: Path) -> None:
    """A test is asked of the alerts that it names or that look at its series, which no other can fire for: all for each is ten times the work."""
    whole = yaml.load((FOLDER / "alerts_test.yml").read_text(), yaml.CSafeLoader)
    tests: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for test in whole["tests"]:
        words = set(re.findall(r"\w+", json.dumps([test["promql_expr_test"], test["name"]])))
        series = {each["series"].split("{")[0] for each in test["input_series"]}
        asked_of = [
            alert["alert"]
            for alert in ALERTS
            if alert["alert"] in words or not series.isdisjoint(re.findall(r"\w+", alert["expr"]))
        ]
        tests.setdefault(tuple(asked_of), []).append(test)
    for number, (names, some) in enumerate(tests.items()):
        rules = {"groups": [{"name": "serendip", "rules": [alert for alert in ALERTS if alert["alert"] in names]}]}
        (tmp_path / f"alerts{number}.yml").write_text(json.dumps(rules))  # which is YAML
        part = whole | {"rule_files": [f"alerts{number}.yml"], "tests": some}
        (tmp_path / f"test{number}.yml").write_text(json.dumps(part))
    assert whole["rule_files"] == ["alerts.yml"]
    said = promtool("test", "rules", *(str(tmp_path / f"test{number}.yml") for number in range(len(tests))))
    assert said.count("SUCCESS") == len(tests)


def promtool(*words: str) -> str:
    """What it says where it finds nothing wrong."""
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_manual_says_what_every_event_of_the_log_means() -> None:
    page = (ROOT / "docs" / "operate" / "watch.md").read_text()
    assert [event for event in EVENTS if f"`{event}`" not in page] == []
