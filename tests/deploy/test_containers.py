"""The container and what stands beside it, read as their builder and their engine would: no container runs here.

What can be run of it, is: the settings are read from that environment, Prometheus checks its configuration.
"""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from typer.testing import CliRunner

from server.main.checks.public_host_requirements import refusal
from server.main.cli import app
from server.ops.config.setting_sources import leaves, load, secrets, variable
from server.ops.config.settings import Settings
from server.ops.health.stop_limit import ENDING_S
from tests.deploy.proxies import DEPLOY

ROOT = DEPLOY.parent
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS: dict[str, Any] = SERVICES["serendip"]
VARIABLES = {variable(name) for name, _ in leaves(Settings())} | {f"{variable(name)}_FILE" for name in secrets()}
NAME = "chat.example"
WRITTEN = {
    "store_url": "postgresql://serendip:x@postgres/serendip",
    "alert_contact": "mailto:ada@example.org, https://hooks.example/alerts",
    "alert_heartbeat": "",
}


def instructions() -> list[tuple[str, str]]:
    """(instruction, what it says) of the container file, continued lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.M).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def said(name: str) -> list[str]:
    return [what for instruction, what in instructions() if instruction == name]


def environment() -> dict[str, str]:
    """What ENV sets in the container."""
    return dict(word.split("=", 1) for line in said("ENV") for word in shlex.split(line))


def filled(text: str) -> str:
    """A value of compose.yaml with `.env` as its head says: CHAT_NAME, and nothing else."""
    return re.sub(
        r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: NAME if found[1] == "CHAT_NAME" else found[2] or "", text
    )


def alertmanagers(document: dict[str, Any]) -> list[str]:
    """Where Prometheus sends alerts."""
    content = yaml.safe_load(document["configs"]["prometheus"]["content"])
    return [
        to for one in content["alerting"]["alertmanagers"] for some in one["static_configs"] for to in some["targets"]
    ]


def test_every_stage_begins_with_the_same_image_by_its_digest() -> None:
    images = {what.split(" AS ")[0] for what in said("FROM")}
    assert len(images) == 1
    assert re.fullmatch(r"debian:13-slim@sha256:[0-9a-f]{64}", images.pop())


def test_what_is_copied_is_there() -> None:
    assert said("COPY") == [". .", "--from=build /opt/serendip /opt/serendip"]
    built = said("RUN")[1]
    assert "make install PREFIX=/opt/serendip" in built
    assert "> server/commit.txt" in built  # git's folder is not in the context
    ignored = set((ROOT / ".dockerignore").read_text().split())
    needed = {
        "Makefile",
        "setup.py",
        "pyproject.toml",
        "requirements",
        "README.md",
        "LICENSE",
        "ext",
        "engine",
        "server",
    }
    assert not needed & ignored
    assert all((ROOT / name).exists() for name in needed)
    assert {"deploy/secrets", "deploy/.env", "var", ".git"} <= ignored


def test_it_runs_as_a_user_with_a_number_who_owns_the_data() -> None:
    (user,) = said("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    owner, group = user.split(":")
    assert f"install -d -o {owner} -g {group} -m 0700 /data" in said("RUN")[-1]
    assert said("VOLUME") == ["/data"]


def test_its_environment_is_settings_and_its_ports_are_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {name: value for name, value in environment().items() if name.startswith("SERENDIP_")}
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    settings = load().settings
    assert str(settings.data) == said("VOLUME")[0]
    assert (settings.server.host, settings.metrics.host) == ("0.0.0.0", "0.0.0.0")
    assert said("EXPOSE") == [f"{settings.server.port} {settings.metrics.port}"]
    command = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])
    assert f"http://127.0.0.1:{settings.metrics.port}/healthz" in command[2]
    compile(command[2], "HEALTHCHECK", "exec")
    assert json.loads(said("ENTRYPOINT")[0]) == ["/opt/serendip/bin/serendip"]
    assert command[0] == "/opt/serendip/bin/python"


def test_the_example_of_its_head_sets_what_must_be_set() -> None:
    head = (DEPLOY / "Containerfile").read_text().partition("\nFROM ")[0]
    told = dict(re.findall(r"-e (\w+)=(\S+)", head))
    assert set(told) <= VARIABLES
    assert {"SERENDIP_SERVER__HOSTS", "SERENDIP_SERVER__PROXIES"} <= set(told)
    assert {"SERENDIP_OPERATOR__NAME", "SERENDIP_OPERATOR__EMAIL"} <= set(told)
    settings = Settings()
    for port in (settings.server.port, settings.metrics.port):
        assert f"-p 127.0.0.1:{port}:{port}" in head


def test_every_file_that_compose_mounts_is_there_and_every_name_is_declared() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert {config["source"] for config in service.get("configs", [])} <= set(COMPOSE["configs"])
        assert set(service.get("depends_on", [])) <= set(SERVICES)
    build = OURS["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == (DEPLOY / "Containerfile").resolve()
    assert set(build["args"]) == {what.partition("=")[0] for what in said("ARG")}


def test_no_secret_stands_in_an_environment_or_on_a_command_line() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|URL", key):
                assert key.endswith("_FILE"), (name, key)
                assert value.removeprefix("/run/secrets/") in service["secrets"]
        assert "secret=" not in " ".join(service.get("command", []))
    head = (DEPLOY / "compose.yaml").read_text().partition("\nname:")[0]
    for secret in COMPOSE["secrets"].values():
        assert f"> {Path(secret['file']).name}" in head  # how it is made is said
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/deploy/secrets/", "/deploy/.env"} <= set(ignored)


def test_the_server_takes_the_environment_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**environment(), **OURS["environment"]}.items():
        if not name.startswith("SERENDIP_"):
            continue
        assert name in VARIABLES
        value = filled(value)
        if name.endswith("_FILE"):
            (tmp_path / Path(value).name).write_text(WRITTEN.get(Path(value).name, "x") + "\n")
            value = str(tmp_path / Path(value).name)
        monkeypatch.setenv(name, value)
    settings = load().settings
    assert settings.server.hosts == (NAME,)
    assert settings.store.url.get_secret_value() == "postgresql://serendip:x@postgres/serendip"
    (network,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert [str(proxy) for proxy in settings.server.proxies] == [network["subnet"]]
    assert (settings.video.turn, settings.video.reports) == ((), False)
    port = settings.video.reports_port
    console = settings.console.port
    assert OURS["ports"] == [f"127.0.0.1:{port}:{port}", f"127.0.0.1:{console}:{console}"]
    assert (settings.console.host, settings.console.origin) == ("0.0.0.0", f"http://localhost:{console}")
    assert refusal(settings, has_moderator=True) == ""
    assert f"port={port}" in (DEPLOY / "coturn.conf").read_text()
    assert "serendip" in settings.metrics.hosts


def test_who_talks_to_whom_shares_a_network_and_agrees_on_the_port(tmp_path: Path) -> None:
    settings = Settings()
    assert SERVICES["caddy"]["environment"]["CHAT_SERVER"] == f"serendip:{settings.server.port}"
    assert "{$CHAT_SERVER:" in (DEPLOY / "Caddyfile").read_text()
    assert SERVICES["caddy"]["environment"]["CHAT_STREAMS"].split()[0] == "stream_close_delay"
    assert "{$CHAT_STREAMS}" in (DEPLOY / "Caddyfile").read_text()
    for one, other, network in (
        ("caddy", "serendip", "front"),
        ("postgres", "serendip", "store"),
        ("prometheus", "serendip", "watch"),
        ("grafana", "prometheus", "watch"),
        ("prometheus", "alertmanager", "watch"),
        ("serendip", "alertmanager", "watch"),
    ):
        assert network in SERVICES[one]["networks"]
        assert network in SERVICES[other]["networks"]
    assert alertmanagers(COMPOSE) == [urlsplit(OURS["environment"]["SERENDIP_ALERTS__MANAGER"]).netloc]
    (tmp_path / "prometheus.yml").write_text(COMPOSE["configs"]["prometheus"]["content"])
    (tmp_path / "alerts.yml").write_text((ROOT / "grafana" / "alerts.yml").read_text())
    subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], check=True, capture_output=True)
    scraped = yaml.safe_load(COMPOSE["configs"]["prometheus"]["content"])["scrape_configs"][0]["static_configs"]
    assert scraped == [{"targets": [f"serendip:{settings.metrics.port}"]}]
    shipped = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yml").read_text())
    ours = yaml.safe_load(COMPOSE["configs"]["datasource"]["content"])
    shipped["datasources"][0]["url"] = "http://prometheus:9090"
    assert ours == shipped


def test_alertmanager_reads_what_the_settings_make_and_no_other_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = SERVICES["alerting"], SERVICES["alertmanager"]
    assert writer["environment"].items() <= OURS["environment"].items(), (
        "the server mails, and `doctor` looks at the path"
    )
    for name, value in {**writer["environment"], "SERENDIP_MAIL__HOST": "mail.example"}.items():
        assert name in VARIABLES
        value = filled(value)
        if name.endswith("_FILE"):
            file = tmp_path / Path(value).name
            file.write_text(WRITTEN.get(file.name, "x"))
            value = str(file)
        monkeypatch.setenv(name, value)
    *command, output = writer["command"]
    assert f"--config.file={output}" in reader["command"]
    assert writer["volumes"] == reader["volumes"] == [f"alerting:{said('VOLUME')[0]}"]
    assert [reader["user"]] == said("USER")
    target = tmp_path / "alertmanager.yml"
    assert CliRunner().invoke(app, [*command, str(target)]).exit_code == 0
    assert target.stat().st_mode & 0o777 == 0o600
    receivers = {one["name"]: one for one in json.loads(target.read_text())["receivers"]}
    assert receivers["pages"]["email_configs"][0]["to"] == "ada@example.org"
    assert receivers["pages"]["webhook_configs"][0]["url"] == "https://hooks.example/alerts"


def test_it_waits_for_the_drain_and_allows_many_connections() -> None:
    assert float(OURS["stop_grace_period"].removesuffix("s")) > Settings().server.drain + ENDING_S
    assert OURS["ulimits"] == {"core": 0, "nofile": 1048576}
    assert OURS["read_only"] is True
    assert OURS["cap_drop"] == ["ALL"]
