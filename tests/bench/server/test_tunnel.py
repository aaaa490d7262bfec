"""Lines pass a tunnel both ways and are counted, beside those of a local pair."""

import pytest

from bench.__main__ import main
from bench.server import tunnel


def test_every_line_passes_and_each_kind_has_its_cost() -> None:
    found = tunnel.measured(4, 3)
    assert found["us"].keys() == found["p90_us"].keys() == {tunnel.UP, tunnel.DOWN, tunnel.LOCAL}
    assert all(cost > 0 for cost in found["us"].values())
    assert found["tunnelled"] == 4 * 2 * 4  # the first round is not measured


def test_a_line_that_does_not_arrive_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "PATIENCE", 0.0)
    monkeypatch.setattr(tunnel.Host, "turn", lambda _: None)
    with pytest.raises(RuntimeError, match="2 lines did not arrive"):
        tunnel.measured(2, 2)


def test_the_table_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tunnel", "--pairs", "2", "--rounds", "2"]) == 0
    assert tunnel.UP in capsys.readouterr().out
