"""The service carries the loads without an error."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from bench.server import peer_comparison as whole
from bench.server import servers


@pytest.mark.timeout(120)
@pytest.mark.parametrize("words", [("relay", "-n", "40", "-d", "4"), ("chat", "-n", "20"), ("chat", "-n", "40", "-k")])
def test_the_service_carries_a_load_without_an_error(words: tuple[str, ...]) -> None:
    scenario = whole.Scenario("test", words, "chat_us" if words[0] == "chat" else "cpu_s_per_M", "")
    found = whole.one(scenario, servers.SERENDIP, 0.3)
    assert found["errors"] == 0
    assert found["messages"] > 0


def test_people_who_wait_are_all_there_and_cost_memory() -> None:
    scenario = whole.Scenario("test", ("wait", "-n", "200"), "bytes", "")
    found = whole.one(scenario, servers.SERENDIP, 0.2)
    assert found["ready"] == found["open"] == 200


def test_a_part_is_printed_and_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = {"serendip": [{"bytes": 1000.0, "connect_us": 30.0, "idle_cpu": 0.01}]}
    monkeypatch.setattr(whole, "in_turn", lambda *_: runs)
    monkeypatch.setattr(servers, "floor", lambda: servers.SERENDIP)
    monkeypatch.setattr(servers, "peers", list)
    monkeypatch.delattr(whole, "write")
    parser = argparse.ArgumentParser()
    whole.add_arguments(parser)
    assert whole.main(parser.parse_args(["--only", "waiting"])) == 0
    printed = capsys.readouterr().out
    assert "**waiting**" in printed
    assert "**chat**" not in printed


def test_what_is_no_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    whole.add_arguments(parser)
    assert parser.parse_args(["--only", "chat again,relay"]).only == ("chat again", "relay")
    with pytest.raises(SystemExit):
        parser.parse_args(["--only", "waiting,idle"])
    assert "'idle' is none of relay, " in capsys.readouterr().err


def test_a_floor_of_nothing_gives_no_ratio() -> None:
    waiting = next(scenario for scenario in whole.SCENARIOS if scenario.name == "waiting")
    runs: dict[str, list[dict[str, Any]]] = {
        "serendip": [{"bytes": 900.0, "cpus": [0.1]}, {"bytes": 1000.0, "cpus": [0.2]}],
        "floor": [{"bytes": 0.0}, {"bytes": -3.5}],
    }
    assert whole.summed(waiting, runs)["servers"]["serendip"] == {"bytes": 950.0, "spread": 100.0}
    runs["floor"] = [{"bytes": 450.0}, {"bytes": 500.0}]
    assert whole.summed(waiting, runs)["servers"]["serendip"]["to_floor"] == 2.0


def test_each_row_is_told_beside_another_build_as_it_ships(tmp_path: Path) -> None:
    chat = next(scenario for scenario in whole.SCENARIOS if scenario.name == "chat")
    program = tmp_path / ".venv" / "bin" / "serendip"
    program.parent.mkdir(parents=True)
    program.touch()
    shipped, unscreened = servers.other_build(str(tmp_path))
    assert shipped.command == unscreened.command == (str(program),)
    rounds = {servers.SERENDIP: (90.0, 60.0), shipped: (100.0, 80.0), unscreened: (70.0, 56.0)}
    found = whole.summed(chat, {server.name: [{"chat_us": cost} for cost in costs] for server, costs in rounds.items()})
    ratios = {name: row.get("to_other") for name, row in found["servers"].items()}
    assert ratios == {"serendip": pytest.approx(0.825), shipped.name: None, unscreened.name: pytest.approx(0.7)}


def test_another_build_that_is_not_built_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    whole.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--beside", str(tmp_path)])
    assert "run `make build` there" in capsys.readouterr().err
