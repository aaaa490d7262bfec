"""The lock on the data folder, and what holds to it: a server that serves, a restore that replaces."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.data.database import folder_lock
from server.data.errors import Busy
from server.main.cli import app
from tests.server.site.web.servers import ROOT, WIDE, Server
from tests.support.forkserver import START


def test_many_may_serve_and_nobody_replaces_meanwhile(tmp_path: Path) -> None:
    one, two = folder_lock.share(tmp_path), folder_lock.share(tmp_path)
    with pytest.raises(Busy, match="stop it first"), folder_lock.alone(tmp_path):
        pass
    os.close(one)
    os.close(two)
    with folder_lock.alone(tmp_path), pytest.raises(Busy, match="restored"):
        folder_lock.share(tmp_path)
    os.close(folder_lock.share(tmp_path))
    assert (tmp_path / folder_lock.NAME).stat().st_mode & 0o777 == 0o600


def test_a_restore_beside_a_running_server_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "one.backup"
    server = Server(data)
    run = CliRunner()
    restore = ["db", "restore", str(file), "--why", "drill", "--yes", "--data", str(data)]
    try:
        assert run.invoke(app, ["db", "backup", str(file), "--data", str(data)]).exit_code == 0
        before = (data / "serendip.db").stat().st_ino
        refused = run.invoke(app, restore)
        assert (refused.exit_code, (data / "serendip.db").stat().st_ino) == (1, before)
        assert "stop it first" in refused.output
    finally:
        server.stop()
    assert run.invoke(app, restore).exit_code == 0
    assert (data / "serendip.db").stat().st_ino != before


@pytest.mark.timeout(180)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_server_on_the_folder_of_a_running_one_is_refused(workers: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = Server(data, SERENDIP_WORKERS=workers)
    try:
        second = subprocess.run(
            [sys.executable, "-c", START, "serve", "--port", "0", "--data", str(data)],
            cwd=ROOT, env={**os.environ, **WIDE}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert "another server runs on this data folder" in second.stderr
        assert '"server.ready"' not in second.stderr
    finally:
        assert server.stop() == 0
    again = Server(data, SERENDIP_WORKERS="1")
    assert again.stop() == 0
