"""The three hosts of `deploy/cluster.yaml`, read as their engine would; the shell in it is run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.main.checks.public_host_requirements import refusal
from server.ops.config.setting_sources import load
from server.ops.config.settings import Settings
from tests.deploy.proxies import DEPLOY
from tests.deploy.test_containers import COMPOSE, NAME, OURS, VARIABLES, WRITTEN, alertmanagers, environment, filled

CELL: dict[str, Any] = yaml.safe_load((DEPLOY / "cluster.yaml").read_text())
HOSTS = ("one", "two", "three")
HEAD = (DEPLOY / "cluster.yaml").read_text().partition("\nname:")[0]


def whole(name: str) -> dict[str, Any]:
    """A service, with that of the other file which it goes on from."""
    service: dict[str, Any] = CELL["services"][name]
    if "extends" not in service:
        return service
    assert service["extends"]["file"] == "compose.yaml"
    base: dict[str, Any] = COMPOSE["services"][service["extends"]["service"]]
    more = {"environment": {**base.get("environment", {}), **service.get("environment", {})}}
    return {**base, **service, **more}


def sources(service: dict[str, Any], kind: str) -> list[str]:
    """The names of a service's secrets or configurations."""
    return [one if isinstance(one, str) else one["source"] for one in service.get(kind, [])]


@pytest.mark.parametrize("name", CELL["services"])
def test_every_name_is_declared_and_every_file_is_there_or_made(name: str) -> None:
    service = whole(name)
    assert set(sources(service, "secrets")) <= set(CELL["secrets"])
    assert set(sources(service, "configs")) <= set(CELL["configs"])
    assert set(service.get("networks", [])) <= set(CELL["networks"])
    assert set(service.get("depends_on", {})) <= set(CELL["services"])
    for mount in service.get("volumes", []):
        source = mount.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith(".") else source in CELL["volumes"], mount


def test_no_secret_stands_in_an_environment() -> None:
    for name in CELL["services"]:
        for key, value in whole(name).get("environment", {}).items():
            if re.search("PASSWORD|SECRET|STORE__URL|KEY|CREDENTIALS", key):
                assert value.startswith("/run/secrets/"), (name, key)
    for secret in CELL["secrets"].values():
        path = Path(secret["file"])
        assert path.parts[0] == "secrets"
        made = "nats_keys.py secrets/nats" if path.parent.name == "nats" else f"> {path.name}"
        assert made in HEAD, path


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_takes_the_environment_that_it_is_given(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = whole(name)
    assert whole("alerting")["environment"].items() <= service["environment"].items()
    told = WRITTEN
    for variable, value in {**environment(), **service["environment"]}.items():
        if not variable.startswith("SERENDIP_"):
            continue
        assert variable in VARIABLES
        value = filled(value.replace("${OBJECTS:?s3://bucket/prefix}", "s3://serendip/logs"))
        if variable.endswith("_FILE"):
            file = tmp_path / Path(value).name
            file.write_text(told.get(file.name, "x"))
            value = str(file)
        monkeypatch.setenv(variable, value)
    settings = load().settings
    assert settings.server.hosts == (NAME,)
    assert name in settings.metrics.hosts
    assert refusal(settings, has_moderator=True) == ""
    address = service["networks"]["cluster"]["ipv4_address"]
    assert settings.cluster.address == f"{address}:9467"
    (network,) = CELL["networks"]["front"]["ipam"]["config"]
    assert [str(proxy) for proxy in settings.server.proxies] == [network["subnet"]]
    assert settings.cluster.nats == ("tls://nats:4222",)
    given = {one["target"]: one["source"] for one in service["secrets"] if isinstance(one, dict)}
    assert given == {settings.cluster.credentials.name: f"nats_seed_{name}"}  # type: ignore[union-attr]
    assert str(settings.cluster.ca) == "/run/secrets/nats_ca"
    assert {**OURS, **service} == {**service, **{key: value for key, value in OURS.items() if key not in service}}


def test_addresses_and_certificate_are_those_that_hosts_reach_each_other_by() -> None:
    (network,) = CELL["networks"]["cluster"]["ipam"]["config"]
    addresses = [whole(name)["networks"]["cluster"]["ipv4_address"] for name in HOSTS]
    assert len(set(addresses)) == len(HOSTS)
    assert all(address.startswith(network["subnet"].rpartition(".")[0]) for address in addresses)
    assert f"--server nats {' '.join(HOSTS)}" in HEAD
    assert whole("caddy")["environment"]["CHAT_SERVER"] == " ".join(
        f"{name}:{Settings().server.port}" for name in HOSTS
    )
    scraped = yaml.safe_load(CELL["configs"]["prometheus"]["content"])["scrape_configs"][0]["static_configs"]
    assert scraped == [{"targets": [f"{name}:{Settings().metrics.port}" for name in HOSTS]}]
    assert alertmanagers(CELL) == alertmanagers(COMPOSE)
    assert CELL["configs"]["datasource"] == COMPOSE["configs"]["datasource"]


def test_nats_has_what_its_configuration_names() -> None:
    service = whole("nats")
    targets = {one["target"] for kind in ("configs", "secrets") for one in service[kind]}
    config = (DEPLOY / "nats.conf").read_text()
    named = set(re.findall(r'"(/etc/nats/[^"]+)"', config)) | {
        f"/etc/nats/{name}" for name in re.findall(r"^include (\S+)", config, re.M)
    }
    assert targets == {*named, "/etc/nats/nats.conf"}
    assert service["command"] == ["--config", "/etc/nats/nats.conf"]


def test_a_further_host_gets_the_secret_and_the_keys_that_last_once(tmp_path: Path) -> None:
    first, further = tmp_path / "from", tmp_path / "data"
    (first / "keys").mkdir(parents=True)
    further.mkdir()
    names = ("secret", "keys/identity.key", "keys/kept.key", "keys/receipt.key")
    for name in (*names, "keys/700.key"):
        (first / name).write_text(f"the first's {name}")
    shell, option, script = CELL["x-keys"]["entrypoint"]
    script = script.replace("$$", "$").replace("/data", str(further)).replace("/from", str(first))

    def run() -> dict[str, str]:
        subprocess.run([shell, option, script], check=True, timeout=20, env={"PATH": os.environ["PATH"]})
        return {str(path.relative_to(further)): path.read_text() for path in further.rglob("*") if path.is_file()}

    assert run() == {name: f"the first's {name}" for name in names}
    assert {oct((further / name).stat().st_mode & 0o777) for name in names} == {"0o600"}
    (first / "secret").write_text("rotated")
    assert run()["secret"] == "the first's secret"
    (first / "keys" / "kept.key").unlink()
    (further / "keys" / "kept.key").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        run()
