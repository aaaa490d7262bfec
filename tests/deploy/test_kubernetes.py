"""The manifests of `deploy/kubernetes/`, by Kubernetes' own schemas in their strict form, and read as a cluster would; the shell in them is run.

No cluster runs here. What can be run of them is: the settings are read from that environment, and the head's commands make the files that are named.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from server.main.checks.public_host_requirements import refusal
from server.ops.config.setting_sources import load
from server.ops.config.settings import Settings
from server.ops.version import VERSION
from tests.deploy.proxies import DEPLOY
from tests.deploy.test_containers import NAME, VARIABLES, environment, said
from tests.support.forkserver import START

FOLDER = DEPLOY / "kubernetes"
OLDEST, NEWEST = "1.27", "1.37"
Json = dict[str, Any]


def resources() -> Iterator[Json]:
    """All resources, by file in the order in which they are applied."""
    for name in ("settings.yaml", "first.yaml", "hosts.yaml"):
        yield from yaml.safe_load_all((FOLDER / name).read_text())


EVERY = list(resources())
HEAD = (FOLDER / "settings.yaml").read_text().partition("\napiVersion")[0]


def the(kind: str, name: str) -> Json:
    (found,) = (one for one in EVERY if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


HOSTS = the("StatefulSet", "serendip")["spec"]
FIRST = the("Job", "serendip-first")["spec"]
NATS = the("Deployment", "serendip-nats")["spec"]
PODS = [one["template"] for one in (HOSTS, FIRST, NATS)]
HOST: Json = HOSTS["template"]["spec"]["containers"][0]


def settings_of(container: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that a container's environment makes, its files written."""
    (source,) = container["envFrom"]
    own = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    for name, value in {**environment(), **the("ConfigMap", source["configMapRef"]["name"])["data"], **own}.items():
        if not name.startswith("SERENDIP_"):
            continue
        assert name in VARIABLES
        text = value.replace("$(POD_IP)", "10.244.1.7")
        if name.endswith("_FILE"):
            file = tmp_path / Path(text).name
            file.write_text(
                {
                    "store_url": "postgresql://serendip:x@db.example/serendip",
                    "alert_contact": "mailto:ada@example.org",
                    "alert_heartbeat": "",
                }.get(file.name, "x")
            )
            text = str(file)
        monkeypatch.setenv(name, text)
    return load().settings


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field(version: str) -> None:
    for one in EVERY:
        kubernetes_validate.validate(one, version, strict=True)
    assert OLDEST in HEAD
    mistyped = {**EVERY[0], "metadata": {**EVERY[0]["metadata"], "lables": {}}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(mistyped, version, strict=True)


def test_a_host_takes_the_environment_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(HOST, tmp_path, monkeypatch)
    assert settings.server.hosts == (NAME,)
    assert refusal(settings, has_moderator=True) == ""
    assert settings.cluster.address == "10.244.1.7:9467"
    (nats,) = the("Service", "serendip-nats")["spec"]["ports"]
    assert settings.cluster.nats == (f"tls://serendip-nats:{nats['port']}",)
    mounts = {one["mountPath"]: one for one in HOST["volumeMounts"]}
    assert mounts[str(settings.cluster.ca)]["subPath"] == "ca.pem"
    assert mounts[str(settings.cluster.credentials)]["subPathExpr"] == "$(POD_NAME).seed"
    assert str(settings.data).startswith(mounts["/data"]["mountPath"] + "/"), "the volume's own folder is a group's"
    named = {one["name"]: one["containerPort"] for one in HOST["ports"]}
    assert named == {"http": settings.server.port, "metrics": settings.metrics.port, "cluster": 9467}
    assert "*" in settings.metrics.hosts
    assert HOST["image"].partition(":")[2] == VERSION
    assert HEAD.count(HOST["image"]) == 2, "it is built and pushed"


def test_the_first_moderator_is_invited_on_the_first_hosts_volume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = FIRST["template"]["spec"]
    (invites,) = pod["containers"]
    settings = settings_of(invites, tmp_path, monkeypatch)
    assert settings.cluster.nats == ()
    assert settings.data == settings_of(HOST, tmp_path, monkeypatch).data
    assert invites["args"][:2] == ["console", "invite"]
    assert pod["initContainers"] == HOSTS["template"]["spec"]["initContainers"]
    (claim,) = HOSTS["volumeClaimTemplates"]
    volume = the("PersistentVolumeClaim", f"{claim['metadata']['name']}-serendip-0")
    assert volume["spec"] == claim["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == volume["metadata"]["name"]


def test_what_is_named_is_there_or_made_by_the_head() -> None:
    made = set(re.findall(r"k create (?:secret generic|secret tls|configmap) (\S+)", HEAD))
    maps = {one["metadata"]["name"] for one in EVERY if one["kind"] == "ConfigMap"}
    for pod in PODS:
        spec = pod["spec"]
        volumes = {one["name"]: one for one in spec["volumes"]}
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            claims = {one["metadata"]["name"] for one in HOSTS["volumeClaimTemplates"]}
            assert {one["name"] for one in container["volumeMounts"]} <= volumes.keys() | claims
        for volume in volumes.values():
            for source in (volume, *volume.get("projected", {}).get("sources", ())):
                secret = source.get("secret", {})
                wanted = {secret.get("secretName", secret.get("name")), source.get("configMap", {}).get("name")}
                assert wanted - {None} <= made | maps
    (ingress,) = (one for one in EVERY if one["kind"] == "Ingress")
    assert {one["secretName"] for one in ingress["spec"]["tls"]} <= made
    files = {Path(path).name for path in re.findall(r"--from-file=(\S+)", HEAD)}
    replicas = {f"serendip-{number}.seed" for number in range(HOSTS["replicas"])}
    assert replicas <= files
    read = {Path(value).name for name, value in the("ConfigMap", "serendip")["data"].items() if name.endswith("_FILE")}
    assert read <= files
    config = (DEPLOY / "nats.conf").read_text()
    assert set(re.findall(r'"/etc/nats/([^"]+)"', config)) | {"users.conf", "nats.conf"} <= files
    ignored = set((DEPLOY.parent / ".gitignore").read_text().split())
    assert "/deploy/kubernetes/secrets/" in ignored
    assert "deploy/kubernetes/secrets" in (DEPLOY.parent / ".dockerignore").read_text().split()


def test_no_pod_may_more_than_the_unit() -> None:
    (user,) = said("USER")
    for pod in PODS:
        spec = pod["spec"]
        secure = spec["securityContext"]
        assert secure["runAsNonRoot"] is True
        assert secure["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False, "SERENDIP_PORT and the like would be taken for settings"
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"].keys() == {"memory"}, "a quota of CPU stops everybody at once"
    for pod in PODS[:2]:
        secure = pod["spec"]["securityContext"]
        assert f"{secure['runAsUser']}:{secure['runAsGroup']}" == user
        assert secure["fsGroup"] == secure["runAsGroup"]
    assert the("Namespace", "serendip")["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}


def test_a_host_is_drained_before_it_ends_and_one_at_a_time() -> None:
    spec = HOSTS["template"]["spec"]
    assert HOST["lifecycle"]["preStop"]["exec"]["command"] == ["/opt/serendip/bin/serendip", "drain"]
    assert spec["terminationGracePeriodSeconds"] > 300 + Settings().server.drain
    budget = the("PodDisruptionBudget", "serendip")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == HOSTS["selector"]
    assert HOSTS["updateStrategy"] == {"type": "RollingUpdate"}
    start = HOST["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] >= 600, "a start may migrate a large database"
    for name, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert HOST[name]["httpGet"] == {"path": path, "port": "metrics"}
    assert HOST["livenessProbe"]["terminationGracePeriodSeconds"] < 60, "who does not answer cannot be drained"


def test_a_pod_is_reached_by_whom_it_serves_alone() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in EVERY if one["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    incoming = {rule["ports"][0]["port"]: rule["from"] for rule in policies["serendip"]["ingress"]}
    own = {"podSelector": policies["serendip"]["podSelector"]}
    assert policies["serendip"]["podSelector"] == HOSTS["selector"]
    assert incoming.keys() == {8080, 9464, 9467}
    assert incoming[9467] == [own]
    (to_nats,) = policies["serendip-nats"]["ingress"]
    assert to_nats == {"ports": [{"port": 4222}], "from": [own]}
    assert policies["serendip-nats"]["podSelector"] == NATS["selector"]
    ports = {one["port"] for spec in EVERY if spec["kind"] == "Service" for one in spec["spec"]["ports"]}
    assert ports == {80, 9464, 4222}, "neither the console nor the hosts' own port is a service"


def test_a_host_gets_the_secret_and_the_keys_that_last_once(tmp_path: Path) -> None:
    given, data = tmp_path / "given", tmp_path / "data"
    given.mkdir()
    data.mkdir()
    names = ("secret", "identity.key", "kept.key", "receipt.key")
    for name in names:
        (given / name).write_text(f"given {name}")
    (keys,) = HOSTS["template"]["spec"]["initContainers"]
    shell, option, script = keys["command"]
    script = script.replace("/data", str(data)).replace("/run/keys", str(given))

    def run() -> dict[str, str]:
        subprocess.run([shell, option, script], check=True, timeout=20, env={"PATH": os.environ["PATH"]})
        host = data / "host"
        return {str(path.relative_to(host)): path.read_text() for path in host.rglob("*") if path.is_file()}

    assert run() == {name if name == "secret" else f"keys/{name}": f"given {name}" for name in names}
    (data / "host" / "secret").write_text("rotated")
    (data / "host" / "secret").chmod(0o660)
    (data / "host" / "keys").chmod(0o2770)
    assert run()["secret"] == "rotated"
    assert (data / "host" / "secret").stat().st_mode & 0o777 == 0o600, "what the volume's group was given is taken back"
    assert (data / "host" / "keys").stat().st_mode & 0o077 == 0
    (given / "kept.key").unlink()
    (data / "host" / "keys" / "kept.key").unlink()
    with pytest.raises(subprocess.CalledProcessError):
        run()


def test_the_heads_commands_make_the_files_that_it_puts_into_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (init,) = re.findall(r"/opt/serendip/bin/serendip (init .*?) +#", HEAD)
    (made,) = re.findall(r"/opt/serendip/bin/python \S+(/nats_keys.py .*)", HEAD)
    for command in (["-c", START, *init.split()], f"{DEPLOY}{made}".split()):
        subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=60,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(DEPLOY.parent), "HOME": str(tmp_path)},
        )
    for path in re.findall(r"--from-file=((?:keys|nats)/\S+)", HEAD):
        assert (folder / path).is_file(), path
