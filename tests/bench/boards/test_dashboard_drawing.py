"""The drawing of the boards knows what they are made of."""

import json
from pathlib import Path

import pytest

from bench.boards.dashboard_drawing import UNITS
from bench.boards.preview import BOARDS


@pytest.mark.parametrize("board", sorted(BOARDS.glob("*.json")), ids=lambda path: path.stem)
def test_each_unit_of_a_board_can_be_written(board: Path) -> None:
    panels = json.loads(board.read_text())["panels"]
    used = {
        panel["fieldConfig"]["defaults"]["unit"]
        for panel in panels
        if "unit" in panel.get("fieldConfig", {}).get("defaults", {})
    }
    assert used <= set(UNITS)
    assert UNITS["d"](3.0) == "3 d"
