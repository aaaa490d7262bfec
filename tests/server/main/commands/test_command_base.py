"""What commands print does nothing to a terminal, and what they refuse is one line and a status."""

from pathlib import Path

import pytest
import typer

from server.main.commands.command_base import clean, day_end, instant, print_json, read, stop, table, when, who


def test_controls_and_marks_of_direction_are_shown_by_their_code_points() -> None:
    assert clean("a\x1b[31mb\u202ec\n") == "a<1b>[31mb<202e>c<0a>"
    assert clean("plain – text 愛") == "plain – text 愛"


def test_a_cell_is_text_and_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table(("one", "two"), [("[bold]x[/]", 7)])
    told = capsys.readouterr().out
    assert "[bold]x[/]" in told
    assert "7" in told


def test_a_row_that_is_wider_than_the_terminal_is_printed_whole_as_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    titles, rows = (
        ("number", "authority", "secret until"),
        [("X" * 30, "A court of appeal " * 3, "2027-06-01 00:00"), ("7", "", "never")],
    )
    monkeypatch.delenv("COLUMNS", raising=False)
    table(titles, rows)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "X" in line]
    assert line.split() == ["X" * 30, *("A court of appeal " * 3).split(), "2027-06-01", "00:00"], (
        "a pipe has one line a row"
    )
    monkeypatch.setenv("COLUMNS", "80")
    table(titles, rows)
    assert capsys.readouterr().out == (
        f"\nnumber: {'X' * 30}\nauthority: {'A court of appeal ' * 3}\nsecret until: 2027-06-01 00:00\n"
        "\nnumber: 7\nsecret until: never\n\n"
    )


def test_a_day_alone_ends_with_its_last_second(capsys: pytest.CaptureFixture[str]) -> None:
    assert when(day_end("2026-11-24 16:05")) == "2026-11-24 16:05"
    assert day_end("2026-11-24") == instant("2026-11-25") - 1
    with pytest.raises(typer.Exit):
        day_end("soon")
    assert "not a time" in capsys.readouterr().err


def test_json_holds_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"said": "\x1b\n"})
    assert capsys.readouterr().out == '{\n  "said": "\\u001b\\n"\n}\n'


def test_a_time_is_shown_in_utc_and_none_is_nothing() -> None:
    assert when(1_795_536_300) == "2026-11-24 16:05"
    assert when(None) == ""


def test_the_operator_is_who_was_named_and_else_who_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ola")
    assert who("kari") == "kari"
    assert who("") == "ola"


def test_every_problem_is_a_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        stop("this", "that", status=2)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == "serendip: this\nserendip: that\n"


def test_a_wrong_setting_ends_the_command_with_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as ended:
        read(tmp_path / "none.toml", {"data": None})
    assert ended.value.exit_code == 2
    assert "none.toml" in capsys.readouterr().err
