"""The command line: what is wrong is named on standard error, help costs nothing, data carries no escapes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.main.cli import GROUPS
from server.ops.version import VERSION, own
from tests.support.forkserver import START

executed = pytest.mark.executed  # for tests of how the program starts
BARE = {name: value for name, value in os.environ.items() if not name.startswith("SERENDIP_")}


def serendip(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as an operator would."""
    command = [sys.executable, "-c", START, *words]
    return subprocess.run(command, env={**BARE, **environment}, capture_output=True, text=True, timeout=30, check=False)


@executed
def test_version_is_the_one_of_the_sources_with_their_commit() -> None:
    assert serendip("--version").stdout == f"serendip {VERSION} ({own()})\n"


@executed
def test_without_a_command_help_is_shown() -> None:
    told = serendip()
    for command in ("serve", "config", "keys", "--version"):
        assert command in told.stdout + told.stderr


def test_config_prints_every_setting_with_meaning_value_and_source(tmp_path: Path) -> None:
    file = tmp_path / "serendip.toml"
    file.write_text("[session]\ngrace = 0\n")
    told = serendip("config", "--json", "--config", str(file), SERENDIP_SERVER__PORT="81")
    rows = {row["name"]: row for row in json.loads(told.stdout)}
    assert rows["server.port"] == {
        "name": "server.port",
        "variable": "SERENDIP_SERVER__PORT",
        "meaning": "port to listen on; 0: any free one",
        "value": "81",
        "default": "8080",
        "source": "environment",
    }
    assert (rows["session.grace"]["value"], rows["session.grace"]["source"]) == ("0", f"file {file}")
    assert all(row["meaning"] for row in rows.values())


def test_config_as_a_table_names_every_setting() -> None:
    told = serendip("config", COLUMNS="200")
    names = [row["name"] for row in json.loads(serendip("config", "--json").stdout)]
    assert all(name in told.stdout for name in names)


def test_a_value_cannot_write_to_the_terminal() -> None:
    told = serendip("config", COLUMNS="200", SERENDIP_OPERATOR__NAME="[bold red]\x1b[31mhttps://x[/]")
    assert "\x1b" not in told.stdout
    assert "[bold red]" in told.stdout


@executed
@pytest.mark.parametrize(
    ("words", "environment", "named"),
    [
        (["serve", "--port", "99999"], {}, "server.port"),
        (["serve"], {"SERENDIP_SERVER__PORT": "x"}, "SERENDIP_SERVER__PORT"),
        (["serve"], {"SERENDIP_SERVERR__PORT": "1"}, "SERENDIP_SERVERR__PORT"),
        (["config", "--config", "none.toml"], {}, "none.toml"),
    ],
)
def test_a_wrong_setting_ends_the_program_and_is_named(
    words: list[str], environment: dict[str, str], named: str
) -> None:
    told = serendip(*words, **environment)
    assert told.returncode == 2
    assert named in told.stderr
    assert "Traceback" not in told.stderr


def test_keys_rotate_replaces_the_secret_and_never_prints_it(tmp_path: Path) -> None:
    assert serendip("init", "--data", str(tmp_path)).returncode == 0
    first = serendip("keys", "rotate", "--data", str(tmp_path))
    before = (tmp_path / "secret").read_bytes()
    second = serendip("keys", "rotate", SERENDIP_DATA=str(tmp_path))
    after = (tmp_path / "secret").read_bytes()
    assert (first.returncode, second.returncode) == (0, 0)
    assert before != after
    assert (tmp_path / "secret.previous").read_bytes() == before
    assert not any(secret.hex() in told.stdout for secret in (before, after) for told in (first, second))


def test_a_key_of_kept_values_is_added_and_the_others_stay(tmp_path: Path) -> None:
    assert serendip("init", "--data", str(tmp_path)).returncode == 0
    before = {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}
    told = [serendip("keys", "rotate", "--kept", "--data", str(tmp_path)) for _ in range(2)]
    assert [one.returncode for one in told] == [0, 0]
    after = {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}
    assert after.keys() - before.keys() == {"kept.1.key", "kept.2.key"}
    assert {name: after[name] for name in before} == before
    assert not (tmp_path / "secret.previous").exists()
    assert (tmp_path / "keys" / "kept.1.key").stat().st_mode & 0o777 == 0o600
    assert not any(key.hex() in one.stdout for key in after.values() for one in told)


def test_keys_rotate_of_a_broken_secret_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0o600)
    told = serendip("keys", "rotate", "--data", str(tmp_path))
    assert told.returncode == 1
    assert "must hold 32 bytes" in told.stderr


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"]])
def test_help_and_version_import_neither_settings_nor_the_server_nor_the_store(words: list[str]) -> None:
    heavy = {
        "server.ops.config.settings",
        "aiohttp",
        "cryptography",
        "sqlalchemy",
        "alembic",
        "serendip_client",
        "server.main.single_process_server",
    }
    command = f"""
import atexit, sys
from server.main.cli import main
atexit.register(lambda: print("loaded", sorted({heavy} & set(sys.modules))))
main()
"""
    told = subprocess.run(
        [sys.executable, "-c", command, *words], env=BARE, capture_output=True, text=True, timeout=30, check=False
    )
    assert told.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("group", ["db", "log", "privacy", "probe"])
def test_a_group_says_of_itself_what_the_list_of_commands_says(group: str) -> None:
    listed = serendip(COLUMNS="200").stdout
    told = serendip(group, "--help", COLUMNS="200")
    assert told.returncode == 0
    assert GROUPS[group][1] in told.stdout
    assert GROUPS[group][1] in listed
