"""What callgrind counted is read from its file."""

from pathlib import Path

import pytest

from bench.support import callgrind


def test_a_file_without_a_count_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("events: Ir\nsummary: 0\n\ntotals: 4200\n")
    assert callgrind.total(out) == 4200
    out.write_text("events: Ir\ntotals: 0\n")
    with pytest.raises(RuntimeError, match="nothing"):
        callgrind.total(out)
