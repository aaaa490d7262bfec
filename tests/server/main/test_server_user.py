"""A server that is started as root with `server.user` opens a port of root's, and is that user in every process, also after an upgrade."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.support.process_inspection import family
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START
from tests.support.users import GROUP, NOBODY, as_nobody, needs_root

pytestmark = [needs_root, pytest.mark.executed, pytest.mark.timeout(300)]
BARE = {name: value for name, value in os.environ.items() if not name.startswith(("SERENDIP_", "COVERAGE_"))}
PROGRAM = (sys.executable, "-c", START)
OWNER = pwd.getpwnam(NOBODY)


TRIED = f"""
import server.main.cli
from server.ops.process.unix_user_switch import NotOurs, require_readable
try:
    require_readable("{NOBODY}")
except NotOurs as error:
    print(error)
"""


@pytest.fixture(scope="module")
def readable() -> None:
    """Skip where Python or this checkout is in a folder that root alone can read: no server can become another user there."""
    told = subprocess.run([sys.executable, "-c", TRIED], cwd=ROOT, env=BARE, capture_output=True, text=True, check=True)
    if told.stdout:
        pytest.skip(told.stdout.strip())


def port_of_root() -> int:
    """Return a port that is free now, and that only root may open."""
    while True:
        port = random.randint(512, 1023)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of root's that others may enter, as /var/lib is."""
    made = Path(tempfile.mkdtemp(prefix="serendip-var-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


def environment(data: Path, workers: str = "1", **more: str) -> dict[str, str]:
    settings = {
        "DATA": str(data),
        "WORKERS": workers,
        "SERVER__USER": NOBODY,
        "METRICS__PORT": "0",
        "CONSOLE__ENABLED": "false",
        **more,
    }
    return BARE | {f"SERENDIP_{name}": value for name, value in settings.items()}


def ready(log: Path, times: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until so many generations of processes have said that they serve."""
    while log.read_text().count('"server.ready"') < times:
        assert server.poll() is None, log.read_text()
        time.sleep(0.05)


def users(pid: int) -> set[tuple[str, ...]]:
    """Return the user ids, group ids, further groups, and whether it can gain no rights, of every process of a server."""
    found = set()
    for one in family(pid):
        try:
            lines = Path(f"/proc/{one}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        told = {line.partition(":")[0]: " ".join(line.partition(":")[2].split()) for line in lines}
        if told["State"][0] != "Z":
            found.add((told["Uid"], told["Gid"], told["Groups"], told["NoNewPrivs"]))
    return found


def ran(words: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=200, check=False)


def answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return bool(answer.status == 200)


@pytest.mark.usefixtures("readable")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_process_is_that_user_and_an_upgrade_changes_nothing_of_it(workers: str) -> None:
    with folder() as var, (var / "log").open("w") as log:
        data, port = var / "data", port_of_root()
        settings = environment(data, workers, SERVER__PORT=str(port))
        server = subprocess.Popen([*PROGRAM, "serve"], cwd=ROOT, env=settings, stderr=log)
        ids = (" ".join([str(OWNER.pw_uid)] * 4), " ".join([str(OWNER.pw_gid)] * 4), str(OWNER.pw_gid), "1")
        try:
            ready(var / "log", 1, server)
            assert users(server.pid) == {ids}
            assert "CapPrm:\t0000000000000000\n" in Path(f"/proc/{server.pid}/status").read_text()
            assert answers(port)
            assert (data.owner(), data.group(), data.stat().st_mode & 0o777) == (NOBODY, GROUP, 0o700)
            assert {path.owner() for path in data.rglob("*")} == {NOBODY}
            done = ran([*PROGRAM, "upgrade"], settings)
            assert done.returncode == 0, done.stderr + (var / "log").read_text()
            ready(var / "log", 2, server)
            assert users(server.pid) == {ids}
            assert answers(port)
        finally:
            server.terminate()
            server.wait(100)


@pytest.mark.usefixtures("readable")
def test_a_server_that_is_root_is_not_upgraded_to_a_user_who_cannot_read_its_folder(tmp_path: Path) -> None:
    config, log = tmp_path / "serendip.toml", tmp_path / "log"
    config.write_text("")
    settings = {
        name: value for name, value in environment(tmp_path / "data").items() if name != "SERENDIP_SERVER__USER"
    }
    words = ("--config", str(config))
    with log.open("w") as stderr:
        server = subprocess.Popen([*PROGRAM, "serve", "--port", "0", *words], cwd=ROOT, env=settings, stderr=stderr)
    try:
        ready(log, 1, server)
        config.write_text(f'server.user = "{NOBODY}"\n')
        done = ran([*PROGRAM, "upgrade", *words], settings)
        assert done.returncode == 1
        assert f"{tmp_path / 'data'}: belongs to root, and server.user is nobody: chown -R nobody: " in done.stderr
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait(100)


def start(data: Path, before: list[str], **more: str) -> str:
    """Try a start that is refused; return its only line."""
    done = ran([*before, *PROGRAM, "serve", "--port", "0"], environment(data, **more))
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.usefixtures("readable")
def test_a_start_that_cannot_be_is_refused_and_leaves_the_folder_as_it_is() -> None:
    with folder() as var:
        data = var / "of-root"
        data.mkdir()
        assert (
            start(data, []) == f"serendip: {data}: belongs to root, and server.user is nobody: chown -R nobody: {data}"
        )
        (data / "secret").touch()
        shutil.chown(data, NOBODY)
        assert (
            start(data, []) == f"serendip: {data}: belongs to root, and server.user is nobody: chown -R nobody: {data}"
        )
        assert [path.name for path in data.iterdir()] == ["secret"]
        assert "no such user: useradd --system nobody-here" in start(var / "new", [], SERVER__USER="nobody-here")
        assert "who is root" in start(var / "new", [], SERVER__USER="root")
        assert (
            start(var / "new", as_nobody(), SERVER__USER="daemon")
            == "serendip: server.user is daemon, and you are nobody: run this as root or as daemon"
        )
        assert "No such file or directory" in start(var / "new" / "data", [])
        assert not (var / "new").exists()


def test_init_makes_the_folder_for_that_user() -> None:
    with folder() as var:
        settings = environment(var / "data")
        subprocess.run(
            [*PROGRAM, "init"],
            cwd=ROOT,
            env=settings,
            capture_output=True,
            timeout=100,
            check=True,
        )
        assert {(path.owner(), path.group()) for path in [var / "data", *(var / "data").rglob("*")]} == {
            (NOBODY, GROUP)
        }


def test_a_program_that_the_user_cannot_read_is_refused_before_the_port_is_opened() -> None:
    with folder() as var, socket.create_server(("127.0.0.1", 0)) as taken:
        closed = var / "closed"
        closed.mkdir(mode=0o700)
        (closed / "library.py").touch()
        settings = environment(var / "data", SERVER__PORT=str(taken.getsockname()[1]), SERVER__HOST="127.0.0.1")
        words = [sys.executable, "-c", f"import library; {START}", "serve"]
        done = ran(words, settings | {"PYTHONPATH": str(closed)})
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert "nobody cannot read it, and the server needs it as nobody: install Python and the program" in line
        assert str(closed) in line or sys.prefix in line or sys.base_prefix in line
        assert not (var / "data").exists()
