"""`serendip check`: a line a check, and the worst of them as the status."""

import json
import os
from pathlib import Path

from typer.testing import CliRunner

from server.main.cli import app


def test_the_status_is_the_worst_and_json_says_the_same(tmp_path: Path) -> None:
    run = CliRunner(env={"SERENDIP_DATA": str(tmp_path), "SERENDIP_MATCHING__ANY_AFTER": "0.5"})
    assert run.invoke(app, ["init"]).exit_code == 0
    assert run.invoke(app, ["db", "migrate"]).exit_code == 0
    told = run.invoke(app, ["check"], env={"SERENDIP_MATCHING__ANYONE_AFTER": "0.1"})
    assert told.exit_code == 1
    (line,) = (line for line in told.stdout.splitlines() if line.startswith("warning  settings"))
    assert "make any_after the smaller one" in line
    (tmp_path / "secret").chmod(0o640)
    told = run.invoke(app, ["check", "--json"])
    assert told.exit_code == 2
    found = json.loads(told.stdout)
    row = next(row for row in found if (row["check"], row["level"]) == ("data", "error"))
    assert "chmod 600" in row["remedy"]
    assert "Traceback" not in told.output


def test_a_lost_secret_is_an_error_that_says_what_to_do_and_nothing_is_made(tmp_path: Path) -> None:
    run = CliRunner(env={"SERENDIP_DATA": str(tmp_path)})
    assert run.invoke(app, ["init"]).exit_code == 0
    (tmp_path / "secret").unlink()
    told = run.invoke(app, ["check"])
    assert told.exit_code == 2
    assert "secret: it is lost" in told.stdout
    assert sorted(os.listdir(tmp_path)) == ["keys"]


def test_a_folder_that_is_not_there_yet_is_no_error_and_is_not_made(tmp_path: Path) -> None:
    told = CliRunner(env={"SERENDIP_DATA": str(tmp_path / "new")}).invoke(app, ["check"])
    assert told.exit_code in {0, 1}  # a machine may have few descriptors
    assert "the first start makes it" in told.stdout
    assert os.listdir(tmp_path) == []


def test_the_doctor_says_what_is_missing_and_its_status_is_the_worst(tmp_path: Path) -> None:
    run = CliRunner(env={"SERENDIP_DATA": str(tmp_path), "SERENDIP_METRICS__PORT": "1"})
    assert run.invoke(app, ["init"]).exit_code == 0
    assert run.invoke(app, ["db", "migrate"]).exit_code == 0
    told = run.invoke(app, ["doctor", "--json"])
    found = {row["check"]: row for row in json.loads(told.stdout)}
    assert told.exit_code == 2
    assert found["server"]["remedy"] == "does it run? serendip status"
    assert found["backup"]["said"] == "none was made of this database"
    assert "alerts.contact is empty" in found["alerts"]["said"]
    assert {"kernel", "clock", "disk", "database"} <= set(found)
