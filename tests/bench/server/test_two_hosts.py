"""Two hosts are measured beside one of them alone, and what is found is said with its spread."""

from __future__ import annotations

import json

import pytest

from bench.__main__ import main
from bench.server import two_hosts

FOUND = {
    "machine": {"cores": 2, "cpu": "a processor"},
    "namespaces": True,
    "rounds": 3,
    "kinds": {
        kind: {name: {"median": 1.0 + at, "low": 0.5, "high": 7.0} for name in two_hosts.FIGURES}
        for at, kind in enumerate(two_hosts.KINDS)
    },
}


def test_a_figure_is_the_median_of_the_rounds_and_their_quartiles() -> None:
    assert two_hosts.spread([3.0, 1.0, 2.0]) == {"median": 2.0, "low": 1.5, "high": 2.5}
    assert two_hosts.spread([4.0]) == {"median": 4.0, "low": 4.0, "high": 4.0}


def test_the_table_has_a_line_a_figure_and_says_what_the_edge_takes() -> None:
    said = two_hosts.lines(FOUND)
    assert said.count("| 1.00 (0.50 to 7.00) | 2.00 (0.50 to 7.00) |") == len(two_hosts.FIGURES)
    assert "The edge's part of a line: 1.0 µs." in said
    assert "two network namespaces" in said


@pytest.mark.timeout(120)
def test_people_of_two_hosts_meet_and_talk_and_each_kind_has_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cells", "--rounds", "2", "--seconds", "0.3", "--pairs", "3"]) == 0
    document, _, table = capsys.readouterr().out.partition("\n}\n")
    found = json.loads(document + "}")
    for kind in two_hosts.KINDS:
        for name in two_hosts.FIGURES:
            figure = found["kinds"][kind][name]
            assert 0 < figure["low"] <= figure["median"] <= figure["high"]
    assert two_hosts.OVER in table
