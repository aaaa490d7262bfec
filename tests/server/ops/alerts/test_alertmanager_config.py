"""The configuration of Alertmanager: what goes to whom, by amtool's own reading where it is installed."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.ops.alerts.alert_sender import TEST
from server.ops.alerts.alertmanager_config import CAUSES, Unsendable, alertmanager_config
from server.ops.config.settings import Settings
from tests.grafana.boards import ALERTS


def made(**alerts: str) -> Settings:
    return Settings.model_validate(
        {
            "alerts": alerts,
            "mail": {"host": "mail.example", "user": "chat", "password": "p", "sender": "chat@example.org"},
            "console": {"origin": "https://console.example"},
        }
    )


def receivers(settings: Settings) -> dict[str, Any]:
    return {one["name"]: one for one in alertmanager_config(settings)["receivers"]}


def test_pages_go_to_all_and_tickets_to_those_that_want_them() -> None:
    found = receivers(made(contact="ada@example.org, bob@example.org#page, https://hooks.example/a"))
    assert [one["to"] for one in found["pages"]["email_configs"]] == ["ada@example.org", "bob@example.org"]
    assert [one["to"] for one in found["tickets"]["email_configs"]] == ["ada@example.org"]
    assert [one["url"] for one in found["tickets"]["webhook_configs"]] == ["https://hooks.example/a"]
    assert found["none"] == {"name": "none"}
    assert found["heartbeat"] == {"name": "heartbeat"}


def test_a_mail_says_where_the_manual_is() -> None:
    (mail,) = receivers(made(contact="ada@example.org"))["pages"]["email_configs"]
    assert "serendip help {{ .Labels.alertname }}, or https://console.example/help/" in mail["text"]
    assert "@" not in re.sub(r"@example.org", "", mail["text"])


def test_the_heartbeat_calls_its_address_each_minute() -> None:
    document = alertmanager_config(made(contact="https://hooks.example/a", heartbeat="https://hc.example/ping/1"))
    (route,) = (one for one in document["route"]["routes"] if one["receiver"] == "heartbeat")
    assert (route["group_interval"], route["repeat_interval"]) == ("1m", "50s")
    assert document["receivers"][2]["webhook_configs"][0]["url"] == "https://hc.example/ping/1"
    assert "smtp_smarthost" not in document["global"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"alerts": {"contact": ""}}, "nobody would be told"),
        ({"alerts": {"contact": "a@example.org#page"}}, "of a ticket"),
        ({"mail": {"host": ""}}, "mail.host is empty"),
        ({"mail": {"host": "m", "security": "tls", "port": 587}}, "465"),
    ],
)
def test_settings_by_which_nothing_would_arrive_are_refused(changed: dict[str, Any], said: str) -> None:
    settings = Settings.model_validate({"alerts": {"contact": "a@example.org"}, "mail": {"host": "m"}} | changed)
    with pytest.raises(Unsendable, match=said):
        alertmanager_config(settings)


def test_no_alert_hides_one_that_hides_it() -> None:
    pairs = {(cause, hidden) for cause, some, _ in CAUSES for hidden in some}
    assert not {(hidden, cause) for cause, hidden in pairs} & pairs


def test_a_cause_and_what_it_hides_have_the_labels_that_both_share() -> None:
    rules = {rule["alert"]: rule["expr"] for rule in ALERTS}
    lacking = {
        (cause, name, label)
        for cause, hidden, shared in CAUSES
        for name in (cause, *hidden)
        for labels in re.findall(r"\bby \(([^)]*)\)", rules[name])
        for label in shared
        if label not in labels.split(", ")
    }
    assert lacking == set(), "Alertmanager would hide nothing: a missing label is another value"


def test_a_test_is_sent_before_it_ends_and_not_in_the_group_of_another() -> None:
    routes = alertmanager_config(made(contact="ada@example.org"))["route"]["routes"]
    tests = [route for route in routes if f'alertname="{TEST}"' in route["matchers"]]
    assert [(route["receiver"], route["group_wait"]) for route in tests] == [("pages", "0s"), ("tickets", "0s")]
    assert all("sent" in route["group_by"] for route in tests)


@pytest.mark.skipif(shutil.which("amtool") is None, reason="apt-get install prometheus-alertmanager")
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=SerendipDown severity=page", "pages"),
        ("alertname=SerendipCaseOld severity=ticket", "tickets"),
        ("alertname=SerendipTest severity=page", "pages"),
        ("alertname=SerendipTest severity=ticket", "tickets"),
        ("alertname=YourOwn severity=critical", "tickets"),
        ("alertname=SerendipHeartbeat severity=none", "heartbeat"),
        ("alertname=SerendipDraining severity=none", "none"),
    ],
)
def test_amtool_reads_the_document_and_routes_by_severity(labels: str, receiver: str, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps(alertmanager_config(made(contact="ada@example.org", heartbeat="https://hc.example/1"))))
    command = ["amtool", "config", "routes", "test", f"--config.file={file}", *labels.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, [receiver]), done.stderr
