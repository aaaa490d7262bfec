"""`serendip alerts`: what it writes, and refusals in a line."""

import json
from pathlib import Path

import yaml
from typer.testing import CliRunner

from server.main.cli import app


def test_the_configuration_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    run = CliRunner(env={"SERENDIP_ALERTS__CONTACT": "https://hooks.example/a"})
    target = tmp_path / "alertmanager.yml"
    target.write_text("old")
    told = run.invoke(app, ["alerts", "config", "--output", str(target)])
    assert told.exit_code == 0
    assert "nothing notices" in told.stderr
    assert target.stat().st_mode & 0o777 == 0o600
    assert json.loads(target.read_text())["route"]["receiver"] == "tickets"
    assert run.invoke(app, ["alerts", "config", "--output", str(tmp_path / "no" / "where")]).exit_code == 1


def test_no_contact_is_refused_in_a_line() -> None:
    told = CliRunner(env={"SERENDIP_ALERTS__CONTACT": ""}).invoke(app, ["alerts", "config"])
    assert told.exit_code == 1
    assert told.stderr == "serendip: alerts.contact is empty: nobody would be told. Name a mail address or a webhook\n"


def test_the_rules_are_those_of_this_version() -> None:
    told = CliRunner().invoke(app, ["alerts", "rules"])
    names = {rule["alert"] for group in yaml.safe_load(told.stdout)["groups"] for rule in group["rules"]}
    assert {"SerendipDown", "SerendipHeartbeat"} <= names


def test_a_test_without_alertmanager_says_which_setting_names_it() -> None:
    told = CliRunner(env={"SERENDIP_ALERTS__MANAGER": "http://127.0.0.1:1"}).invoke(app, ["alerts", "test"])
    assert told.exit_code == 1
    assert "alerts.manager says where Alertmanager is" in told.stderr


def test_a_watch_without_contacts_is_refused() -> None:
    told = CliRunner(env={"SERENDIP_ALERTS__CONTACT": ""}).invoke(app, ["alerts", "watch"])
    assert told.exit_code == 2
    assert "alerts.heartbeat and alerts.contact are wanted" in told.stderr


def test_a_watch_that_could_send_no_mail_is_refused() -> None:
    env = {"SERENDIP_ALERTS__CONTACT": "ada@example.org", "SERENDIP_ALERTS__HEARTBEAT": "https://watch.example/beat/1"}
    told = CliRunner(env=env).invoke(app, ["alerts", "watch"])
    assert told.exit_code == 2
    assert "mail.host is empty" in told.stderr
