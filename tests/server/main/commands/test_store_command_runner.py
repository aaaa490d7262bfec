"""A command over the store ends with one line and status 1, whatever is wrong with the store."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from server.data.errors import Busy, ObjectsAway, StoreAway
from server.data.keys.epoch_keys import KeyGone
from server.data.store.store_runner import Parts
from server.main.commands.command_base import instant
from server.main.commands.store_command_runner import StoreCommand, perform, store_command
from server.ops.config.settings import Settings
from server.ops.security import secret_keys


@pytest.fixture(autouse=True)
def made(tmp_path: Path) -> None:
    """A data folder."""
    secret_keys.load(tmp_path)


def test_what_was_done_is_given_back_and_the_settings_are_those_of_the_folder(tmp_path: Path) -> None:
    async def handler(parts: Parts, settings: Settings) -> Path:
        assert parts.database.sqlite
        return settings.data

    assert perform(None, tmp_path, handler) == tmp_path


def test_a_command_has_its_own_options_and_the_shared_ones_that_it_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()
    monkeypatch.setenv("LOGNAME", "the login")

    @app.command()
    @store_command(operator=True, as_json=True)
    def count(run: StoreCommand, first: int, step: int = 1) -> None:
        """Count."""
        found = run.perform(lambda _, settings: _numbers(settings, first, step))
        if not run.prints_json(found):
            typer.echo(f"{run.operator}: {found}")

    runner, folder = CliRunner(), ("--data", str(tmp_path))
    assert runner.invoke(app, ["3", *folder]).output == "the login: [3, 4]\n"
    assert runner.invoke(app, ["3", "--step", "2", "--operator", "ada", *folder]).output == "ada: [3, 5]\n"
    assert runner.invoke(app, ["3", "--json", *folder]).output == "[\n  3,\n  4\n]\n"
    assert runner.invoke(app, ["3", "--dry-run", *folder]).exit_code == 2
    assert runner.invoke(app, folder).exit_code == 2


async def _numbers(settings: Settings, first: int, step: int) -> list[int]:
    assert settings.data.is_dir()
    return [first, first + step]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (StoreAway("gone"), "the database cannot be used: other (gone). Look at"),
        (ObjectsAway("gone"), "the object store cannot be used: gone"),
        (PermissionError(13, "Permission denied", "/some/file"), "/some/file: Permission denied (as "),
        (Busy("another purge runs"), "another purge runs"),
        (KeyGone("no key"), "no key"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_known_failure_is_one_line(
    failure: Exception, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def handler(parts: Parts, settings: Settings) -> None:
        raise failure

    with pytest.raises(typer.Exit) as ended:
        perform(None, tmp_path, handler)
    assert ended.value.exit_code == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"serendip: {told}")


def test_what_a_handler_refuses_itself_is_one_line_with_its_own_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def handler(parts: Parts, settings: Settings) -> int:
        return instant("soon")

    with pytest.raises(typer.Exit) as ended:
        perform(None, tmp_path, handler)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == "serendip: soon: not a time as 2026-11-24 or 2026-11-24 16:05\n"
