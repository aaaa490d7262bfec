"""What is kept is read again, and what was never kept is empty."""

from pathlib import Path

import pytest

from bench.support import results


def test_a_document_is_read_as_it_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    assert results.read("one") == {}
    results.write({"b": 1, "a": [2]}, "one", ordered=False)
    assert results.read("one") == {"b": 1, "a": [2]}
    assert list(results.read("one")) == ["b", "a"]
    results.write({"b": 1, "a": [2]}, "one")
    assert list(results.read("one")) == ["a", "b"]
