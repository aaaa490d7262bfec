"""Check `serendip safety rules`: it prints how a line is read and what follows, answers lines of standard input, and names an invalid file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from server.main.cli import app
from server.main.commands.rule_commands import LINE_MAX
from tests.server.trust.text_provider.programs import command, manual_example
from tests.support.forkserver import START

ASKED = "tip minor to the receiver, the chat is held until the writer answers"


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
        "follows": ASKED,
    }
    assert "nothing is wrong" in run(tmp_path, "check").output


def provided(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("SERENDIP_SCREENING__PROVIDER", "command")
    monkeypatch.setenv("SERENDIP_SCREENING__PROVIDER_COMMAND", json.dumps(command(code)))
    monkeypatch.setenv("SERENDIP_SCREENING__PROVIDER_SECONDS", "30")


def test_a_finding_of_the_provider_has_its_words_and_its_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provided(monkeypatch, manual_example())
    (one,) = json.loads(run(tmp_path, "try", "a Glorp here", "--json").output)["found"]
    assert one == {
        "rule": "hate.provider.low", "class": "hate", "confidence": "low", "where": "Glorp", "follows": "tip hate to the writer", "score": "0.80",
    }  # fmt: skip


def test_a_provider_that_cannot_be_used_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provided(monkeypatch, "print('nonsense', flush=True)")
    done = run(tmp_path, "try", "hello")
    assert done.exit_code != 0
    assert "screening.provider: it ended by itself" in done.output


def test_a_file_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.toml").write_text("[nothing]\nwords = []\n")
    for words in (("check",), ("try", "hi")):
        done = run(tmp_path, *words)
        assert done.exit_code == 1
        assert "own.toml: nothing is none of" in done.output


def lines_of(data: Path, typed: bytes, *words: str) -> list[str]:
    done = CliRunner().invoke(app, ["safety", "rules", "try", "-", *words, "--data", str(data)], input=typed)
    assert done.exit_code == 0
    return done.output.splitlines()


def test_each_line_of_standard_input_has_one_document_whatever_it_holds(tmp_path: Path) -> None:
    long = b"i'm 14 " * LINE_MAX
    typed = b"i'm 14\n" + b"\xff\xfe\n" + long + b"\n\nhello\r\n" + b"\x1b[31m add me on snap"
    answers = [json.loads(line) for line in lines_of(tmp_path, typed, "--json")]
    assert [answer["line"] for answer in answers] == [1, 2, 3, 4, 5, 6]
    (first,) = answers[0]["found"]
    assert (first["rule"], first["where"], first["follows"]) == ("age.claim", "i'm 14", ASKED)
    assert answers[1] == {"line": 2, "error": "not UTF-8"}
    assert answers[2] == {"line": 3, "error": f"longer than {LINE_MAX} bytes"}
    assert answers[3] == {"line": 4, "found": []}
    assert answers[4] == {"line": 5, "found": []}
    assert {found["class"] for found in answers[5]["found"]} >= {"contact"}
    assert list(tmp_path.iterdir()) == []  # a file of this command's user could be one that the server may not read


@pytest.mark.parametrize(("end", "fault"), [(b"\n", False), (b"\r\n", False), (b"a\n", True), (b"\r\r\n", True)])
def test_the_limit_of_a_line_is_a_byte_exact(tmp_path: Path, end: bytes, fault: bool) -> None:
    (answer, behind) = lines_of(tmp_path, b"a" * LINE_MAX + end + b"hi\n", "--json")
    assert ("error" in json.loads(answer)) is fault
    assert json.loads(behind) == {"line": 2, "found": []}


def test_without_json_a_line_is_a_row_that_cannot_affect_the_terminal(tmp_path: Path) -> None:
    rows = lines_of(tmp_path, b"i'm 14\nhello\n\xff\n")
    assert rows == [f"1\tage.claim: i'm 14 ({ASKED})", "2\t-", "3\tnot UTF-8"]


def test_a_line_is_answered_before_the_next_is_written_and_a_closed_reader_ends_it_quietly(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, "safety", "rules", "try", "--json", "-", "--data", str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as program:
        assert program.stdin
        assert program.stdout
        assert program.stderr
        for number in (1, 2):
            program.stdin.write(b"i'm 14\n")
            program.stdin.flush()
            assert json.loads(program.stdout.readline())["line"] == number
        program.stdout.close()
        program.stdin.write(b"i'm 14\n" * 3)
        program.stdin.close()
        assert program.wait() == 0
        assert program.stderr.read() == b""
