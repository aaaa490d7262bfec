"""What `deploy/nats_keys.py` makes, and what is kept when it is called again. That NATS takes it: `tests/cluster`, and below, for a reload."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tests.deploy.nats_certificate import let_end, read
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


def test_a_renewed_certificate_has_the_same_names_and_is_signed_by_the_same(tmp_path: Path) -> None:
    made(tmp_path, "--server", "10.0.0.10", "--server", "nats.internal", "one")
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = made(tmp_path, "--renew")
    assert done.stdout.split()[1::2] == [str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")], done.stderr
    changed = {name for name, data in kept.items() if (tmp_path / name).read_bytes() != data}
    assert changed == {"key.pem", "cert.pem"}
    names = read(tmp_path / "cert.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == ["10.0.0.10", "nats.internal"]
    read(tmp_path / "cert.pem").verify_directly_issued_by(read(tmp_path / "ca.pem"))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")


@pytest.mark.parametrize(("days", "another"), [(400, False), (20, True), (-0.5, True)])
def test_who_signs_is_made_anew_where_it_ends_within_a_month_and_nobody_is_signed_for_longer(
    tmp_path: Path, days: float, another: bool
) -> None:
    made(tmp_path, "--server", "10.0.0.10", "one")
    let_end(tmp_path / "ca.pem", days)
    before, seed = (tmp_path / "ca.key").read_bytes(), (tmp_path / "one.seed").read_bytes()
    assert made(tmp_path, "--renew").returncode == 0
    assert ((tmp_path / "ca.key").read_bytes() != before) == another
    certificate, authority = read(tmp_path / "cert.pem"), read(tmp_path / "ca.pem")
    certificate.verify_directly_issued_by(authority)
    assert certificate.not_valid_after_utc <= authority.not_valid_after_utc
    assert (tmp_path / "one.seed").read_bytes() == seed


def test_whose_authority_was_removed_gets_a_certificate_of_the_new_one(tmp_path: Path) -> None:
    made(tmp_path, "--server", "10.0.0.10", "one")
    for name in ("ca.pem", "ca.key"):
        (tmp_path / name).unlink()
    assert made(tmp_path).returncode == 0
    read(tmp_path / "cert.pem").verify_directly_issued_by(read(tmp_path / "ca.pem"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_again_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    made(tmp_path, "--server", "10.0.0.10", "one")
    for path in (tmp_path, *tmp_path.iterdir()):
        os.chown(path, 12_345, 12_346)
    made(tmp_path, "--renew", "two")
    assert {(path.stat().st_uid, path.stat().st_gid) for path in tmp_path.iterdir()} == {(12_345, 12_346)}


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
