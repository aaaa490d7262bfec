"""`serendip safety rules`: it says what a line is read as and what follows, and names a file that cannot be."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.main.cli import app


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["safety", "rules", *words, "--data", str(data)])


def test_a_line_is_tried_with_our_rules_and_an_operator_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.toml").write_text('[hate]\nwords = ["grumblefoo"]\n')
    done = run(tmp_path, "try", "ADD me on sn4p, grumblefoo \x1b[31m")
    assert done.exit_code == 0
    assert "read as: add me on sn4p, grumblefoo <1b>[31m" in done.output
    assert "tip contact to the receiver" in done.output
    assert "tip hate to the writer" in done.output
    found = json.loads(run(tmp_path, "try", "i'm 14", "--json").output)
    assert found["words"] == ["im", "14"]
    (one,) = found["found"]
    assert one == {
        "rule": "age.claim",
        "class": "age.claim",
        "confidence": "high",
        "where": "i'm 14",
        "tip": "minor",
        "to": "receiver",
    }
    assert "nothing is wrong" in run(tmp_path, "check").output


def test_a_file_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.toml").write_text("[nothing]\nwords = []\n")
    for words in (("check",), ("try", "hi")):
        done = run(tmp_path, *words)
        assert done.exit_code == 1
        assert "own.toml: nothing is none of" in done.output
