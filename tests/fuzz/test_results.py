"""Test that logs of libFuzzer are read, runs add up, and the table stands between its marks."""

from pathlib import Path

import pytest

from tests.fuzz.results import BEGIN, END, Result, add, document, read, read_log, summary
from tests.fuzz.targets import TARGETS

LOG = """INFO: seed corpus: files: 3
#4	INITED cov: 40 ft: 41 corp: 3/9b exec/s: 0 rss: 30Mb
#2097152	pulse  cov: 136 ft: 361 corp: 58/2910b lim: 4096 exec/s: 262144 rss: 60Mb
#3000000	DONE   cov: 137 ft: 364 corp: 59/2915b lim: 4096 exec/s: 250000 rss: 61Mb
stat::number_of_executed_units: 3000000
"""


def test_a_log_is_read_and_runs_add_up(tmp_path: Path) -> None:
    assert read_log(LOG, 12.0) == Result(3_000_000, 12.0, 137, 364)
    assert read_log("#9\tDONE   ft: 12 corp: 3/9b\nstat::number_of_executed_units: 9\n", 1.0) == Result(9, 1.0, 0, 12)
    assert read_log("it did not start", 1.0) == Result(0, 1.0, 0, 0)
    assert read_log(LOG[: LOG.index("#3000000")], 2.0) == Result(2_097_152, 2.0, 136, 361)  # it was stopped
    path = tmp_path / "out" / "fuzz" / "results.json"
    add(path, "heads", Result(10, 1.0, 5, 6, corpus=3, steps=70))
    add(path, "heads", Result(30, 1.0, 4, 9, corpus=2, steps=60, failed=True))
    assert read(path) == {"heads": Result(40, 2.0, 5, 9, corpus=2, steps=70, failed=True)}
    assert read(path)["heads"].rate == 20


def test_the_table_stands_between_its_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    path, page = tmp_path / "results.json", tmp_path / "page.md"
    add(path, "heads", Result(1_000, 1.0, 5, 6, corpus=3))
    add(path, "heads-cost", Result(500, 1.0, 5, 6, corpus=4, steps=1_234, failed=True, findings=1))
    page.write_text(f"before\n{BEGIN}old{END}\nafter\n")
    document(page, path)
    document(page, path)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| `heads` | request heads of `/ws` | h11 | 1,500 | 750 | 5 | 7 | 1,234 |" in text
    mended = len(list(TARGETS["heads"].corpus.glob("found-*")))
    assert f"| {TARGETS['heads'].steps:,} | {mended + 1}, 1 |" in text
    assert "Parsers of bytes: 1,500 executions." in text
    assert "parsers of bytes: 1,500 executions" in summary(read(path))
    page.write_text("no marks")
    with pytest.raises(ValueError):
        document(page, path)
