"""Test `serendip backup`, from a key to a host that is full again."""

from __future__ import annotations

import tomllib
from pathlib import Path

import orjson
import pytest

from tests.server.main.commands.conftest import Run


@pytest.fixture
def keyed(serendip: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a private key; its public key and a place of backups are set."""
    folder = tmp_path_factory.mktemp("apart")
    made = serendip("backup", "key", str(folder / "private.pem"))
    assert made.exit_code == 0, made.output
    assert (folder / "private.pem").stat().st_mode & 0o777 == 0o600
    assert serendip("backup", "key", str(folder / "private.pem"), "--show").stdout == made.stdout
    for line in made.stdout.splitlines():
        name, _, value = line.partition("=")
        assert name in ("SERENDIP_BACKUP__PUBLIC_KEY", "SERENDIP_BACKUP__SIGNING_KEY")
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SERENDIP_BACKUP__URL", str(folder / "backups"))
    monkeypatch.setenv("SERENDIP_MAIL__PASSWORD", "a secret of the settings")
    monkeypatch.setenv("SERENDIP_OPERATOR__NAME", 'Ada "and" sons')
    return folder


def test_an_empty_host_is_filled_from_a_backup(serendip: Run, keyed: Path, tmp_path: Path) -> None:
    key = ("--key", str(keyed / "private.pem"))
    assert "written" not in serendip("backup", "list").output
    made = serendip("backup", "create", "--json")
    assert made.exit_code == 0, made.output
    name = orjson.loads(made.stdout)["name"]
    assert [one["name"] for one in orjson.loads(serendip("backup", "list", "--json").stdout)] == [name]
    verified = serendip("backup", "verify", *key)
    assert f"{name}: whole." in verified.output
    assert "keys opened" in verified.output
    plain = serendip("backup", "settings").stdout
    assert "a secret" not in plain
    assert tomllib.loads(plain)["operator"]["name"] == 'Ada "and" sons'
    assert tomllib.loads(serendip("backup", "settings", *key).stdout)["mail"]["password"] == "a secret of the settings"
    there = keyed / "there"
    refused = serendip("backup", "restore", *key, "--why", "a test", "--data", str(there))
    assert (refused.exit_code, there.exists()) == (1, False)
    restored = serendip("backup", "restore", *key, "--why", "a test", "--yes", "--data", str(there))
    assert restored.exit_code == 0, restored.output
    assert f"restored {name}" in restored.output
    assert "the ledger beside the backup was signed at" in restored.output
    assert (there / "secret").read_bytes() == (tmp_path / "secret").read_bytes()
    assert serendip("db", "check", "--data", str(there)).exit_code == 0
    again = serendip("backup", "restore", *key, "--why", "a test", "--yes", "--data", str(there))
    assert again.exit_code == 1
    assert "the place is not empty" in again.output


def test_what_is_wrong_is_said_in_a_line(serendip: Run, keyed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    existing = serendip("backup", "key", str(keyed / "private.pem"))
    assert (existing.exit_code, "File exists" in existing.output) == (1, True)
    assert "there are: none" in serendip("backup", "verify").output
    assert serendip("backup", "create").exit_code == 0
    assert serendip("backup", "key", str(keyed / "other.pem")).exit_code == 0
    wrong = serendip("backup", "verify", "--key", str(keyed / "other.pem"))
    assert (wrong.exit_code, "the private key is not that of the backup" in wrong.output) == (1, True)
    assert "no backup nothing.tar" in serendip("backup", "verify", "nothing.tar").output
    monkeypatch.delenv("SERENDIP_BACKUP__URL")
    assert serendip("backup", "key", str(keyed / "none.pem"), "--show").exit_code == 1
    nowhere = serendip("backup", "create")
    assert (nowhere.exit_code, "set backup.url" in nowhere.output) == (1, True)


def test_a_backup_that_nobody_signed_is_taken_only_if_the_operator_says_so(
    serendip: Run, keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SERENDIP_BACKUP__SIGNING_KEY")
    assert serendip("backup", "create").exit_code == 0
    assert "whole." in serendip("backup", "verify").output, "the service knows its own"
    assert "your private key cannot tell who made a backup" in serendip("doctor").output
    there = ("--key", str(keyed / "private.pem"), "--data", str(keyed / "there"))
    for command in (("verify",), ("settings",), ("restore", "--why", "a test", "--yes")):
        refused = serendip("backup", *command, *there)
        assert refused.exit_code == 1
        assert "none of the keys that are here signed it (operator)" in refused.output, refused.output
        taken = serendip("backup", *command, *there, "--unsigned")
        assert taken.exit_code == 0, taken.output
    (keyed / "empty").mkdir()
    assert "nothing here can tell" in serendip("backup", "verify", "--data", str(keyed / "empty")).output


def test_without_a_public_key_it_says_that_no_keys_are_in_it(
    serendip: Run, keyed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SERENDIP_BACKUP__PUBLIC_KEY")  # but still signed
    assert "It holds no keys" in serendip("backup", "create", "--at", str(keyed / "elsewhere")).output
    refused = serendip(
        "backup", "restore", "--at", str(keyed / "elsewhere"), "--key", str(keyed / "private.pem"), "--why", "a test",
        "--yes", "--data", str(keyed / "there"),
    )  # fmt: skip
    assert (refused.exit_code, "holds no keys" in refused.output) == (1, True)


def test_a_ledger_without_its_signature_is_used_only_if_the_operator_says_so(serendip: Run, keyed: Path) -> None:
    assert serendip("backup", "create").exit_code == 0
    second = serendip("backup", "create")  # it knows the ledger
    assert second.exit_code == 0, second.output
    there = ("--key", str(keyed / "private.pem"), "--data", str(keyed / "there"))
    for file in (keyed / "backups" / "ledger" / "signed").iterdir():
        file.unlink()
    for command in (("verify",), ("restore", "--why", "a test", "--yes")):
        refused = serendip("backup", *command, *there)
        assert refused.exit_code == 1
        assert "cannot be trusted: its signature is gone" in refused.output, refused.output
    taken = serendip("backup", "restore", "--why", "a test", "--yes", "--damaged-ledger", *there)
    assert taken.exit_code == 0, taken.output
    assert "the ledger cannot be trusted: its signature is gone" in taken.output
