"""What `deploy/nats_keys.py` makes, and what is kept when it is called again. That NATS takes it: `tests/cluster`, and below, for a reload."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tests.deploy.proxies import DEPLOY
from tests.deploy.test_unit import EXPOSURE, analyzed
from tests.support import services


def made(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call it."""
    command = [sys.executable, str(DEPLOY / "nats_keys.py"), str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_what_is_there_is_kept_and_what_is_missing_is_added(tmp_path: Path) -> None:
    folder = tmp_path / "nats"
    first = made(folder, "--server", "10.0.0.10", "--server", "nats.internal", "one", "two")
    assert first.returncode == 0, first.stderr
    names = {"ca.key", "ca.pem", "key.pem", "cert.pem", "one.seed", "two.seed", "users.conf"}
    assert {Path(line.split()[1]).name for line in first.stdout.splitlines()} == names
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    open_to_all = {path.name for path in folder.iterdir() if path.stat().st_mode & 0o077}
    assert open_to_all == {"ca.pem", "cert.pem"}
    certificate = x509.load_pem_x509_certificate(kept["cert.pem"])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == ["10.0.0.10", "nats.internal"]

    assert made(folder).stdout == ""
    assert made(folder, "three").stdout.split() == [
        *("made", str(folder / "three.seed")),
        *("made", str(folder / "users.conf")),
    ]
    assert {name: (folder / name).read_bytes() for name in kept if name != "users.conf"} == {
        name: data for name, data in kept.items() if name != "users.conf"
    }
    users = (folder / "users.conf").read_text()
    assert users.count('publish: "serendip.>", subscribe: "serendip.>"') == 3
    (folder / "one.seed").unlink()
    made(folder)
    assert (folder / "users.conf").read_text().count("nkey:") == 2


@pytest.mark.parametrize("words", [("one",), ("--server", "a", "../one"), ("--server", "a", "--name", "a.b", "one")])
def test_what_makes_no_sense_is_refused_and_makes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = made(tmp_path / "nats", *words)
    assert refused.returncode == 2
    assert not list(tmp_path.glob("nats/*.*"))


def test_the_server_takes_the_configuration(tmp_path: Path) -> None:
    made(tmp_path, "--server", "127.0.0.1", "one")
    config = tmp_path / "nats.conf"
    config.write_text((DEPLOY / "nats.conf").read_text().replace('"/etc/nats/', f'"{tmp_path}/'))
    done = subprocess.run([services.nats_binary(), "-t", "-c", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_unit_is_one_that_systemd_takes_and_forbids_what_it_can(tmp_path: Path) -> None:
    unit = tmp_path / "nats.service"
    unit.write_text((DEPLOY / "nats.service").read_text().replace("/usr/bin/nats-server", sys.executable))
    done = analyzed("verify", "--man=no", str(unit))
    assert (done.returncode, done.stderr) == (0, "")
    done = analyzed("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(unit))
    assert done.returncode == 0, done.stdout[-200:]
